//go:build !unix

package bed

import (
	"errors"
	"os"
	"syscall"
)

var errNotUnix = errors.New("the test bed needs a Unix system")

func childAttr() *syscall.SysProcAttr { return nil }

func killGroup(int) error          { return errNotUnix }
func suspendGroup(int) error       { return errNotUnix }
func resumeGroup(int) error        { return errNotUnix }
func flock(*os.File) (bool, error) { return false, errNotUnix }

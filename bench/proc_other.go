//go:build !linux

package main

import (
	"errors"
	"time"
)

var errNotLinux = errors.New("CPU time and memory of other processes are read from Linux's /proc: run this on Linux")

const (
	residentNow  = ""
	residentPeak = ""
)

func dieWithParent()     {}
func checkSystem() error { return errNotLinux }

func cpuTime(int) (time.Duration, error) { return 0, errNotLinux }
func memory(int, string) (int64, error)  { return 0, errNotLinux }
func freeMemory() (int64, error)         { return 0, errNotLinux }
func totalMemory() (int64, error)        { return 0, errNotLinux }
func freeDisk(string) (int64, error)     { return 0, errNotLinux }
func openFiles() (uint64, error)         { return 0, errNotLinux }
func processor() string                  { return "" }
func kernel() string                     { return "" }
func load() string                       { return "" }

package bed

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed pom.xml
var pom []byte

// jarLayout belongs to the name of the jar folder: change it with the folder's inner order.
const jarLayout = "1"

// plugins are the jars a Connect worker loads from its plugin.path, by folder. They must not be on its class path.
var plugins = map[string][]string{
	"file":   {"connect-file-*.jar"},
	"mirror": {"connect-mirror-[0-9]*.jar", "connect-mirror-client-*.jar"},
}

// Jars is a resolved copy of what pom.xml names, and a formatted KRaft metadata log to start brokers from.
type Jars struct{ Dir string }

// ClassPath is for brokers and Connect workers: everything but the plugins.
func (j Jars) ClassPath() string { return filepath.Join(j.Dir, "libs", "*") }

// PluginPath is a value for a worker's plugin.path: one folder a plugin.
func (j Jars) PluginPath() string { return filepath.Join(j.Dir, "plugins") }

// ToolClassPath is for tools and test programs: everything.
func (j Jars) ToolClassPath() string {
	return strings.Join([]string{
		j.ClassPath(),
		filepath.Join(j.PluginPath(), "file", "*"),
		filepath.Join(j.PluginPath(), "mirror", "*"),
	}, string(os.PathListSeparator))
}

// bootstrap is the snapshot with the feature levels of a new cluster, which brokers of every node id start from.
func (j Jars) bootstrap() string { return filepath.Join(j.Dir, "bootstrap.checkpoint") }

// ResolveJars returns the jars, fetching them with Maven when the cache lacks them. Processes that ask at the same time
// fetch once.
func ResolveJars(ctx context.Context) (Jars, error) {
	cache, err := CacheDir()
	if err != nil {
		return Jars{}, err
	}
	jars := jarsIn(cache)
	if jars.complete() {
		return jars, nil
	}
	lock, err := lockFile(ctx, jars.Dir+".lock", "fetching the Kafka jars")
	if err != nil {
		return Jars{}, err
	}
	if !jars.complete() {
		err = jars.make(ctx, cache)
	}
	return jars, errors.Join(err, lock.unlock())
}

func jarsIn(cache string) Jars {
	sum := sha256.Sum256(append([]byte(jarLayout), pom...))
	return Jars{filepath.Join(cache, "jars-"+hex.EncodeToString(sum[:6]))}
}

// complete relies on the folder getting its name only when all is in it.
func (j Jars) complete() bool {
	_, err := os.Stat(j.Dir)
	return err == nil
}

func (j Jars) make(ctx context.Context, cache string) error {
	tmp, err := os.MkdirTemp(cache, "jars-making-")
	if err != nil {
		return fmt.Errorf("make a folder for the Kafka jars: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := fetchJars(ctx, cache, tmp, time.Second, 4*time.Second); err != nil {
		return err
	}
	made := Jars{tmp}
	if err := made.separatePlugins(); err != nil {
		return fmt.Errorf("sort the Kafka jars: %w", err)
	}
	if err := made.formatOnce(ctx); err != nil {
		return err
	}
	if err := os.Chmod(tmp, 0o755); err != nil {
		return fmt.Errorf("open the jar folder to readers: %w", err)
	}
	if err := os.Rename(tmp, j.Dir); err != nil {
		return fmt.Errorf("put the Kafka jars in place: %w", err)
	}
	return nil
}

// fetchJars runs Maven, and again after each of the waits if it fails: registries refuse now and then.
func fetchJars(ctx context.Context, cache, dir string, waits ...time.Duration) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return fmt.Errorf("mvn is needed once, to fetch the Kafka jars: %s", howToInstall("mvn"))
	}
	if err := os.WriteFile(filepath.Join(dir, "pom.xml"), pom, 0o644); err != nil {
		return fmt.Errorf("write pom.xml: %w", err)
	}
	err = runMaven(ctx, mvn, cache, dir)
	for _, wait := range waits {
		if err == nil || pause(ctx, wait) != nil {
			return err
		}
		err = runMaven(ctx, mvn, cache, dir)
	}
	return err
}

func runMaven(ctx context.Context, mvn, cache, dir string) error {
	args := []string{
		"-q", "-B", "-U", "-f", filepath.Join(dir, "pom.xml"),
		"dependency:copy-dependencies", "-DoutputDirectory=" + filepath.Join(dir, "libs"),
	}
	if _, err := os.UserHomeDir(); err != nil {
		args = append(args, "-Dmaven.repo.local="+filepath.Join(cache, "m2"))
	}
	cmd := exec.CommandContext(ctx, mvn, args...)
	cmd.SysProcAttr = childAttr()
	cmd.Cancel = func() error { return killGroup(cmd.Process.Pid) }
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("fetch the Kafka jars with Maven: %w: %s", err, mavenComplaint(out))
	}
	return nil
}

// mavenComplaint is the first sentence of Maven's that says something.
func mavenComplaint(out []byte) string {
	for line := range bytes.Lines(out) {
		text, found := bytes.CutPrefix(bytes.TrimSpace(line), []byte("[ERROR] "))
		if found && len(bytes.TrimSpace(text)) > 0 {
			return string(text)
		}
	}
	return lastLines(string(out), 5)
}

func (j Jars) separatePlugins() error {
	for name, patterns := range plugins {
		dir := filepath.Join(j.PluginPath(), name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		for _, pattern := range patterns {
			jars, err := filepath.Glob(filepath.Join(j.Dir, "libs", pattern))
			if err != nil || len(jars) != 1 {
				return fmt.Errorf("want one %s, got %q: %w", pattern, jars, err)
			}
			if err := os.Rename(jars[0], filepath.Join(dir, filepath.Base(jars[0]))); err != nil {
				return err
			}
		}
	}
	return nil
}

// formatOnce runs the real storage tool and keeps the part of its result that is the same for every cluster, which saves each
// later broker the start of another JVM.
func (j Jars) formatOnce(ctx context.Context) error {
	dir := filepath.Join(j.Dir, "format")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("make a folder to format: %w", err)
	}
	defer os.RemoveAll(dir)
	n := &node{id: 1, port: lowPort, controller: lowPort + 1, dir: dir}
	if err := n.configure(newClusterProperties([]*node{n}, BrokerOptions{})); err != nil {
		return err
	}
	if err := formatWithTool(ctx, j, n, newClusterID(), nil); err != nil {
		return err
	}
	return os.Rename(filepath.Join(n.data(), "bootstrap.checkpoint"), j.bootstrap())
}

// pause waits, or returns ctx's error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

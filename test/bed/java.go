package bed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// oldestJava is what Kafka's brokers and worker need.
const oldestJava = 17

// findJava returns the java of JAVA_HOME, else of PATH, when it is new enough.
func findJava(ctx context.Context) (string, error) {
	java := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	path, err := exec.LookPath(java)
	if err != nil {
		return "", fmt.Errorf("java %d or later is missing: %s", oldestJava, howToInstall("java"))
	}
	out, err := exec.CommandContext(ctx, path, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ask %s for its version: %w", path, err)
	}
	if v := javaVersion(string(out)); v < oldestJava {
		return "", fmt.Errorf("%s is version %d, %d or later is needed: %s", path, v, oldestJava, howToInstall("java"))
	}
	return path, nil
}

var quotedVersion = regexp.MustCompile(`version "(?:1\.)?(\d+)`)

// javaVersion reads the output of java -version; zero when it does not say.
func javaVersion(out string) int {
	m := quotedVersion.FindStringSubmatch(out)
	if m == nil {
		return 0
	}
	v, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return v
}

// howToInstall is the one command that installs a tool on this system.
func howToInstall(tool string) string {
	packages := map[string]map[string]string{
		"java": {"apt-get": "openjdk-17-jdk-headless", "dnf": "java-17-openjdk-devel", "brew": "openjdk@17"},
		"mvn":  {"apt-get": "maven", "dnf": "maven", "brew": "maven"},
	}
	for _, installer := range []string{"apt-get", "dnf", "brew"} {
		if _, err := exec.LookPath(installer); err == nil {
			return installer + " install " + packages[tool][installer]
		}
	}
	if runtime.GOOS == "darwin" {
		return "install Homebrew, then: brew install " + packages[tool]["brew"]
	}
	return "install " + tool + " with this system's package manager"
}

// checkTools says what is missing to run Kafka here, with the command that installs it. Maven counts only while the jars are
// not in the cache.
func checkTools(ctx context.Context) error {
	_, err := findJava(ctx)
	cache, cacheErr := CacheDir()
	if cacheErr != nil {
		return errors.Join(err, cacheErr)
	}
	if jarsIn(cache).complete() {
		return err
	}
	if _, mvnErr := exec.LookPath("mvn"); mvnErr != nil {
		err = errors.Join(err, fmt.Errorf("mvn is missing: %s", howToInstall("mvn")))
	}
	return err
}

// fastFlags trade peak speed for a quick start: right for tests, wrong for benchmarks.
func fastFlags() []string {
	return []string{"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"}
}

// JavaTool runs a Java program to its end and returns its standard output. program is the name of a class in the jars, such as
// "kafka.tools.StorageTool", or the path of a single source file ending in ".java", which is compiled on the fly.
// Errors carry what the program printed.
func JavaTool(ctx context.Context, program string, args ...string) (string, error) {
	jars, err := ResolveJars(ctx)
	if err != nil {
		return "", err
	}
	return jars.run(ctx, program, args...)
}

func (j Jars) run(ctx context.Context, program string, args ...string) (string, error) {
	java, err := findJava(ctx)
	if err != nil {
		return "", err
	}
	flags := append(fastFlags(), "-cp", j.ToolClassPath(), program)
	cmd := exec.CommandContext(ctx, java, append(flags, args...)...)
	cmd.SysProcAttr = childAttr()
	cmd.WaitDelay = time.Second
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(stderr.String() + "\n" + stdout.String())
		return stdout.String(), fmt.Errorf("run %s: %w:\n%s", program, err, lastLines(said, 30))
	}
	return stdout.String(), nil
}

// jvm is a long-running Java program.
type jvm struct {
	name    string
	dir     string // holds the log and the logging configuration
	heap    string
	fast    bool
	class   string
	args    []string
	pattern string        // of a log line
	grace   time.Duration // as in ProcessOptions
}

// start writes the logging configuration and starts the program; its log is NAME.log in its folder.
func (v jvm) start(ctx context.Context, jars Jars) (*Process, error) {
	java, err := findJava(ctx)
	if err != nil {
		return nil, err
	}
	logging := filepath.Join(v.dir, "log4j2.properties")
	if err := writeProperties(logging, logProperties(v.pattern)); err != nil {
		return nil, fmt.Errorf("configure the log of %s: %w", v.name, err)
	}
	flags := []string{"-Xmx" + v.heap, "-Dlog4j2.configurationFile=" + logging, "-cp", jars.ClassPath(), v.class}
	if v.fast {
		flags = append(fastFlags(), flags...)
	}
	return StartProcess(ProcessOptions{
		Name: v.name, Path: java, Args: append(flags, v.args...), Dir: v.dir,
		LogFile: filepath.Join(v.dir, v.name+".log"), Grace: v.grace,
	})
}

func logProperties(pattern string) map[string]string {
	return map[string]string{
		"appender.out.type":              "Console",
		"appender.out.name":              "out",
		"appender.out.layout.type":       "PatternLayout",
		"appender.out.layout.pattern":    pattern,
		"rootLogger.level":               "INFO",
		"rootLogger.appenderRef.out.ref": "out",
	}
}

package bed

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestJavaVersion(t *testing.T) {
	t.Parallel()
	for out, want := range map[string]int{
		`openjdk version "17.0.15" 2025-04-15`:             17,
		`java version "1.8.0_391"`:                         8,
		"Picked up JAVA_OPTS\nopenjdk version \"21\" 2023": 21,
		"command not found":                                0,
	} {
		if got := javaVersion(out); got != want {
			t.Errorf("%q: version %d, want %d", out, got, want)
		}
	}
}

func TestMavenComplaint(t *testing.T) {
	t.Parallel()
	for out, want := range map[string]string{
		"[ERROR] \n[ERROR] Could not transfer artifact a:b\n[ERROR] more": "Could not transfer artifact a:b",
		"Killed\n": "Killed",
	} {
		if got := mavenComplaint([]byte(out)); got != want {
			t.Errorf("%q: complaint %q, want %q", out, got, want)
		}
	}
}

// fakeMaven puts a script named mvn, and nothing else, on the PATH.
func fakeMaven(t *testing.T, script string) {
	t.Helper()
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	if script == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(bin, "mvn"), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestJarsWithoutMaven(t *testing.T) {
	t.Setenv("MILLRACE_CACHE", t.TempDir())
	fakeMaven(t, "")
	if _, err := ResolveJars(t.Context()); err == nil || !strings.Contains(err.Error(), "mvn is needed once") {
		t.Errorf("got error %v, want one that tells to install mvn", err)
	}
}

func TestMavenIsAskedAgain(t *testing.T) {
	dir := t.TempDir()
	fakeMaven(t, `echo try >>`+dir+`/tries; echo "[ERROR] 403 Forbidden"; exit 1`)
	err := fetchJars(t.Context(), dir, dir, time.Millisecond, time.Millisecond)
	if err == nil || !strings.Contains(err.Error(), "fetch the Kafka jars with Maven: exit status 1: 403 Forbidden") {
		t.Errorf("got error %v, want Maven's complaint", err)
	}
	tries, err := os.ReadFile(filepath.Join(dir, "tries"))
	if string(tries) != "try\ntry\ntry\n" {
		t.Errorf("tries %q, %v, want three", tries, err)
	}
}

const readProperties = `
import java.io.FileInputStream;
import java.util.*;
class Read {
  public static void main(String[] args) throws Exception {
    Properties p = new Properties();
    p.load(new FileInputStream(args[0]));
    for (var e : new TreeMap<>(p).entrySet()) {
      System.out.println(e.getKey() + "|" + e.getValue().toString().replace("\n", "<LF>").replace("\t", "<TAB>"));
    }
  }
}`

// TestPropertiesAsJavaReadsThem also shows that JavaTool compiles a source file and hands over arguments and output.
func TestPropertiesAsJavaReadsThem(t *testing.T) {
	Require(t)
	t.Parallel()
	dir := t.TempDir()
	props, program := filepath.Join(dir, "p.properties"), filepath.Join(dir, "Read.java")
	err := writeProperties(props, map[string]string{
		"plain":     "a=b:c#d!",
		"sp ace":    "  two leading",
		"co:lon":    `back\slash`,
		"#comment":  "line one\nline two",
		"empty":     "",
		"tab":       "\tx",
		"eq=uals":   "trailing ",
		"a.b-c_d":   "${file:/x:y}",
		"pattern %": `\\d+`,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, []byte(readProperties), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := JavaTool(t.Context(), program, props)
	if err != nil {
		t.Fatal(err)
	}
	want := `#comment|line one<LF>line two
a.b-c_d|${file:/x:y}
co:lon|back\slash
empty|
eq=uals|trailing 
pattern %|\\d+
plain|a=b:c#d!
sp ace|  two leading
tab|<TAB>x
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what Java read differs (-want +got):\n%s", diff)
	}
}

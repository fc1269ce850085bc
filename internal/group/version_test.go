package group

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVersions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version        Version
		mode, protocol string
		protocols      []Version
	}{
		{Eager, "eager", "default", []Version{Eager}},
		{Compatible, "compatible", "compatible", []Version{Compatible, Eager}},
		{Sessioned, "sessioned", "sessioned", []Version{Sessioned, Compatible, Eager}},
	} {
		if got := c.version.String(); got != c.mode {
			t.Errorf("%d is %q, want %q", c.version, got, c.mode)
		}
		if got := c.version.Protocol(); got != c.protocol {
			t.Errorf("%v joins as %q, want %q", c.version, got, c.protocol)
		}
		if d := cmp.Diff(c.protocols, c.version.Protocols()); d != "" {
			t.Errorf("%v lists (-want +got):\n%s", c.version, d)
		}
		if got, ok := ByProtocol(c.protocol); got != c.version || !ok {
			t.Errorf("%q is %v, %v", c.protocol, got, ok)
		}
	}
	for _, v := range []Version{-1, 3} {
		if v.Protocol() != "" {
			t.Errorf("%v joins as %q", v, v.Protocol())
		}
	}
	if got := Version(3).String(); got != "Version(3)" {
		t.Errorf("version 3 is %q", got)
	}
	if v, ok := ByProtocol("eager"); ok {
		t.Errorf("eager, which is no name in JoinGroup, is %v", v)
	}
}

func TestParseMode(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Version{"eager": Eager, "EAGER": Eager, "Compatible": Compatible, "sessioned": Sessioned} {
		if got, err := ParseMode(s); err != nil || got != want {
			t.Errorf("%q is %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "default", " eager", "Version(3)"} {
		if got, err := ParseMode(s); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func TestItem(t *testing.T) {
	t.Parallel()
	order := []Item{{"a", ConnectorItem}, {"a", 2}, {"a", 10}, {"a-1", ConnectorItem}, {"b", 0}}
	names := []string{"a", "a-2", "a-10", "a-1", "b-0"}
	for n, i := range order {
		if i.String() != names[n] {
			t.Errorf("%#v is %s, want %s", i, i, names[n])
		}
		for m, o := range order {
			if got := i.Less(o); got != (n < m) {
				t.Errorf("%s before %s: %v", i, o, got)
			}
		}
	}
}

// TestWorkersInJavaOrder has ids whose order by text is not that of their buckets.
func TestWorkersInJavaOrder(t *testing.T) {
	t.Parallel()
	// The hash codes are 97, 98 and 112, the buckets 1, 2 and 0 of 16.
	var got []string
	for _, w := range workersOf(map[string]Metadata{"a": {}, "b": {}, "p": {}}, Compatible) {
		got = append(got, w.id)
	}
	if d := cmp.Diff([]string{"p", "a", "b"}, got); d != "" {
		t.Errorf("-want +got:\n%s", d)
	}
}

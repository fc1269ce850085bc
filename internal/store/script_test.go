package store

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-io/millrace/internal/scripttest"
)

// recordOf reads a command of the form "key => value"; the value "tombstone" is one.
func recordOf(command string) (key string, value []byte) {
	key, text, ok := strings.Cut(command, " => ")
	if !ok {
		panic("no record: " + command)
	}
	if text == "tombstone" {
		return key, nil
	}
	return key, []byte(text)
}

// TestConfigLogScripts plays records of the config topic. Commands: a record; "loaded" ends the first read; "new" begins with an
// empty topic; "skip" leaves an offset out.
func TestConfigLogScripts(t *testing.T) {
	t.Parallel()
	scripttest.Run(t, "configlog_*.txt", func(*testing.T) func([]string) string {
		l, offset := NewConfigLog(), int64(0)
		return func(commands []string) string {
			var out strings.Builder
			for _, c := range commands {
				switch c {
				case "new":
					l, offset = NewConfigLog(), 0
				case "loaded":
					l.Loaded()
				case "skip":
					offset++
				default:
					key, value := recordOf(c)
					changes, err := l.Apply(offset, []byte(key), value)
					offset++
					out.WriteString(describeChanges(changes, err))
				}
			}
			return out.String() + describeSnapshot(l.Snapshot())
		}
	})
}

func describeChanges(changes []ConfigChange, err error) string {
	var out strings.Builder
	if err != nil {
		fmt.Fprintf(&out, "! %v\n", err)
	}
	names := map[ChangeKind]string{
		ConnectorUpdated: "updated", ConnectorRemoved: "removed", TasksUpdated: "tasks", TargetStateChanged: "target",
		RestartRequested: "restart", SessionKeyChanged: "session key", LoggerLevelChanged: "logger",
	}
	for _, c := range changes {
		fmt.Fprintf(&out, "> %s", names[c.Kind])
		switch c.Kind {
		case SessionKeyChanged:
			fmt.Fprintf(&out, " %s, %d bytes", c.Key.Algorithm, len(c.Key.Key))
		case LoggerLevelChanged:
			fmt.Fprintf(&out, " %s %s", c.Logger, c.Level)
		case TasksUpdated:
			fmt.Fprintf(&out, " %s %v", c.Connector, c.Tasks)
		case RestartRequested:
			fmt.Fprintf(&out, " %s tasks=%t failed=%t", c.Connector, c.Restart.IncludeTasks, c.Restart.OnlyFailed)
		default:
			fmt.Fprintf(&out, " %s", c.Connector)
		}
		fmt.Fprintln(&out)
	}
	return out.String()
}

func describeSnapshot(s *ConfigSnapshot) string {
	var out strings.Builder
	fmt.Fprintf(&out, "offset %d", s.Offset())
	if _, ok := s.SessionKey(); ok {
		out.WriteString(", with a session key")
	}
	fmt.Fprintln(&out)
	for _, name := range s.Names() {
		c, _ := s.Logged(name)
		fmt.Fprintf(&out, "%s: %s\n", name, describeLogged(c))
	}
	return out.String()
}

func describeLogged(c *LoggedConnector) string {
	out := fmt.Sprintf("%s %s, %d tasks", c.Target, describeConfig(c.Config), c.TaskCount)
	if c.Inconsistent {
		out += " inconsistent"
	}
	for _, task := range c.Tasks {
		out += " " + describeConfig(task)
	}
	out += fmt.Sprintf(", generation %d, commit %d", c.TasksGeneration, c.CommitOffset)
	if !c.Applied.Equal(c.Config) {
		out += ", applied " + describeConfig(c.Applied)
	}
	if c.FencedTasks >= 0 {
		out += fmt.Sprintf(", fenced %d", c.FencedTasks)
	}
	if c.FencingPending {
		out += ", fencing pending"
	}
	return out
}

// describeConfig leaves long configurations out but for what distinguishes them.
func describeConfig(c Config) string {
	props := c.Props()
	delete(props, "connector.class")
	delete(props, "task.class")
	delete(props, "name")
	var out []string
	for _, k := range slices.Sorted(maps.Keys(props)) {
		out = append(out, fmt.Sprintf("%s=%.40q", k, props[k]))
	}
	return "{" + strings.Join(out, " ") + "}"
}

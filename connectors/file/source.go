package file

import (
	"context"
	"maps"
	"os"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
)

// Names in source partitions and offsets, which stored offsets of the original have, too.
const (
	partitionFile  = "filename"
	offsetPosition = "position"
)

// sourceConnector gives the whole work to one task, whatever tasks.max is: a file is read by one reader.
type sourceConnector struct {
	stdin *os.File
	props connect.Props
}

var (
	_ connect.SourceConnector     = (*sourceConnector)(nil)
	_ connect.ExactlyOnce         = (*sourceConnector)(nil)
	_ connect.SourceOffsetAlterer = (*sourceConnector)(nil)
)

func (c *sourceConnector) Start(_ context.Context, cc *connect.ConnectorContext, p connect.Props) error {
	v, err := sourceDef.Parse(p)
	if err != nil {
		return err
	}
	c.props = p
	cc.Log().Info("starting file source", "file", nameOr(sourceFile.Of(v), "standard input"), "topic", sourceTopic.Of(v))
	return nil
}

func (c *sourceConnector) TaskConfigs(context.Context, int) ([]connect.Props, error) {
	return []connect.Props{maps.Clone(c.props)}, nil
}

func (c *sourceConnector) NewTask() connect.SourceTask { return &sourceTask{stdin: c.stdin} }

func (c *sourceConnector) Stop(context.Context) error { return nil }

// ExactlyOnce is a promise for files only: what was read from standard input cannot be read again.
func (c *sourceConnector) ExactlyOnce(p connect.Props) connect.Support {
	v, err := sourceDef.Parse(p)
	if err != nil || sourceFile.Of(v) == "" {
		return connect.Unsupported
	}
	return connect.Supported
}

// AlterOffsets checks each offset that is not a request to forget one. Any file name passes, so that offsets of
// earlier configurations can be cleaned up. The texts are Connect's.
func (c *sourceConnector) AlterOffsets(_ context.Context, p connect.Props, offsets []connect.SourceOffset) (bool, error) {
	v, err := sourceDef.Parse(p)
	if err != nil {
		return false, err
	}
	if sourceFile.Of(v) == "" {
		return false, connect.NewError("Offsets cannot be modified if the 'file' configuration is unspecified. "+
			"This is because stdin is used for input and offsets are not tracked.", nil)
	}
	for _, o := range offsets {
		if o.Offset.IsNull() {
			continue
		}
		if text := checkOffset(o); text != "" {
			return false, connect.NewError(text, nil)
		}
	}
	return true, nil
}

// checkOffset returns what is wrong with an offset, empty if nothing is.
func checkOffset(o connect.SourceOffset) string {
	position, ok := field(o.Offset, offsetPosition)
	switch {
	case !ok:
		return "Offset objects should either be null or contain the key 'position'"
	case position.Kind() != data.KindInt64:
		return "The value for the 'position' key in the offset is expected to be a Long value"
	case position.Int64() < 0:
		return "The value for the 'position' key in the offset should be a non-negative value"
	case o.Partition.IsNull():
		return "Partition objects cannot be null"
	}
	if _, ok := field(o.Partition, partitionFile); !ok {
		return "Partition objects should contain the key 'filename'"
	}
	return ""
}

// field returns one entry of a map; false if v is no map or has no such key.
func field(v data.Value, key string) (data.Value, bool) {
	m := v.Map()
	if m == nil {
		return data.Null, false
	}
	return m.Get(data.String(key))
}

func nameOr(path, standard string) string {
	if path == "" {
		return standard
	}
	return path
}

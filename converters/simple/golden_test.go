package simple

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/data"
	"github.com/millrace-io/millrace/connect/data/golden"
	"github.com/millrace-io/millrace/converters/convertertest"
)

func TestGoldenHeaderValues(t *testing.T) {
	t.Parallel()
	conv, err := Plugin.NewHeader(nil)
	if err != nil {
		t.Fatal(err)
	}
	ran, skipped := 0, 0
	for _, c := range golden.Cases(t, "header_values.jsonl") {
		mismatch, err := check(conv, &c)
		if reason, ok := errors.AsType[errSkip](err); ok {
			skipped++
			t.Logf("%s skipped: %v", c.ID, reason)
			continue
		}
		ran++
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
		}
		if mismatch != "" {
			t.Errorf("%s %s: %s", c.ID, c.Note, mismatch)
		}
	}
	t.Logf("%d cases ran, %d skipped", ran, skipped)
	if ran == 0 {
		t.Error("no case ran")
	}
}

// errSkip is the reason for not running a case.
type errSkip struct{ reason string }

func (e errSkip) Error() string { return e.reason }

// check runs one case. It returns in what the result differs, or an error if the case is not understood.
func check(conv connect.HeaderConverter, c *golden.Case) (mismatch string, err error) {
	s, v, err := c.SchemaAndValue()
	if errors.Is(err, golden.ErrNoGoValue) {
		return "", errSkip{err.Error()}
	}
	if err != nil {
		return "", err
	}
	switch c.Kind {
	case "parse":
		return checkParse(conv, c)
	case "format":
		return checkFormat(conv, c, s, v)
	case "convert":
		got, gotErr, err := convert(c, s, v)
		if err != nil {
			return "", err
		}
		return compareResult(c, s, got, gotErr)
	case "infer":
		got, err := data.InferSchema(v)
		return compareSchema(c, got, err)
	case "project":
		return checkProject(c, s, v)
	default:
		return "", errSkip{"unknown kind " + c.Kind}
	}
}

func checkParse(conv connect.HeaderConverter, c *golden.Case) (string, error) {
	raw, err := c.Input()
	if err != nil {
		return "", err
	}
	s, v, err := conv.DecodeHeader(nil, "t", "h", raw)
	return convertertest.Compare(c, s, v, err)
}

func checkFormat(conv connect.HeaderConverter, c *golden.Case, s *data.Schema, v data.Value) (string, error) {
	got, err := conv.EncodeHeader([]byte("before"), "t", "h", s, v)
	if m := c.Error.Mismatch(golden.Convert, err); m != "" || err != nil {
		return m, nil
	}
	want, err := c.Output()
	if want != nil {
		want = append([]byte("before"), want...)
	}
	return cmp.Diff(want, got), err
}

// convert calls the conversion that a case names. err is for names that are not known.
func convert(c *golden.Case, s *data.Schema, v data.Value) (got data.Value, gotErr, err error) {
	var to string
	if err := json.Unmarshal(c.To, &to); err != nil {
		return data.Null, nil, err
	}
	switch to {
	case "string":
		return data.ConvertToString(v), nil, nil
	case "list":
		got, gotErr = data.ConvertToArray(v)
	case "map":
		got, gotErr = data.ConvertToMap(v)
	case "struct":
		got, gotErr = data.ConvertToStruct(v)
	case "decimal":
		got, gotErr = data.ConvertToDecimal(v, c.Scale)
	default:
		f, ok := conversions[to]
		if !ok {
			return data.Null, nil, errSkip{"unknown conversion " + to}
		}
		got, gotErr = f(s, v)
	}
	return got, gotErr, nil
}

var conversions = map[string]func(*data.Schema, data.Value) (data.Value, error){
	"boolean": data.ConvertToBoolean,
	"int8":    data.ConvertToInt8, "int16": data.ConvertToInt16, "int32": data.ConvertToInt32, "int64": data.ConvertToInt64,
	"float32": data.ConvertToFloat32, "float64": data.ConvertToFloat64,
	"date": data.ConvertToDate, "time": data.ConvertToTime, "timestamp": data.ConvertToTimestamp,
}

// compareResult compares a value with the result of a case, whose structs are of that schema.
func compareResult(c *golden.Case, s *data.Schema, got data.Value, gotErr error) (string, error) {
	if m := c.Error.Mismatch(golden.Convert, gotErr); m != "" || gotErr != nil {
		return m, nil
	}
	want, err := golden.Value(s, c.Result)
	if err != nil {
		return "", err
	}
	if !got.Equal(want) {
		return "(-want +got) " + cmp.Diff(golden.DescribeValue(want), golden.DescribeValue(got)), nil
	}
	return "", nil
}

func compareSchema(c *golden.Case, got *data.Schema, gotErr error) (string, error) {
	if m := c.Error.Mismatch(golden.Convert, gotErr); m != "" || gotErr != nil {
		return m, nil
	}
	want, err := golden.Schema(c.Result)
	if err != nil {
		return "", err
	}
	if !got.Equal(want) {
		return "(-want +got) " + cmp.Diff(golden.DescribeSchema(want), golden.DescribeSchema(got)), nil
	}
	return "", nil
}

func checkProject(c *golden.Case, s *data.Schema, v data.Value) (string, error) {
	target, err := golden.Schema(c.Target)
	if err != nil {
		return "", err
	}
	got, gotErr := data.Project(s, v, target)
	return compareResult(c, target, got, gotErr)
}

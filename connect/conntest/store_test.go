package conntest_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/millrace-io/millrace/connect/conntest"
	"github.com/millrace-io/millrace/connect/data"
)

var sortedStrings = cmpopts.SortSlices(func(a, b string) bool { return a < b })

func TestStoreGivesBackWhatAWorkerDoes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		set  any
		want data.Value
	}{
		{"null", nil, data.Null},
		{"boolean", true, data.Bool(true)},
		{"int8 widens", int8(-3), data.Int64(-3)},
		{"int64", int64(math.MaxInt64), data.Int64(math.MaxInt64)},
		{"float32 widens", float32(1), data.Float64(1)},
		{"float64", 1e300, data.Float64(1e300)},
		{"text", "é\n", data.String("é\n")},
		{"bytes become text", []byte{1, 2}, data.String("AQI=")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := conntest.NewStore()
			if err := s.Set(map[string]any{"p": tc.set}, map[string]any{"o": tc.set}); err != nil {
				t.Fatal(err)
			}
			got, err := s.Offsets()
			if err != nil {
				t.Fatal(err)
			}
			if p := got[0].Partition.Map().GetString("p"); !p.Equal(tc.want) {
				t.Errorf("partition has %s %s, want %s %s", p.Kind(), p, tc.want.Kind(), tc.want)
			}
			if o := got[0].Offset.Map().GetString("o"); !o.Equal(tc.want) {
				t.Errorf("offset has %s %s, want %s %s", o.Kind(), o, tc.want.Kind(), tc.want)
			}
		})
	}
}

func TestStoreRefuses(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{
		"NaN": math.NaN(), "infinity": math.Inf(1), "broken text": "a\xff", "a list": []string{"x"}, "a map": map[string]any{},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := conntest.NewStore()
			if err := s.Set(map[string]any{"p": v}, map[string]any{}); err == nil {
				t.Error("Set with such a partition succeeded")
			}
			if err := s.Set(map[string]any{}, map[string]any{"o": v}); err == nil {
				t.Error("Set with such an offset succeeded")
			}
		})
	}
}

func TestStoreForgets(t *testing.T) {
	t.Parallel()
	s := conntest.NewStore()
	p := map[string]any{"p": 1}
	if err := s.Set(p, map[string]any{"o": 1}); err != nil {
		t.Fatal(err)
	}
	if err := s.Set(p, nil); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, s); len(got) != 0 {
		t.Errorf("stored offsets: %v, want none", got)
	}
}

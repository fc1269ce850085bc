package conntest_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/millrace-io/millrace/connect"
	"github.com/millrace-io/millrace/connect/config"
	"github.com/millrace-io/millrace/connect/conntest"
)

// shelf is a destination: texts in the order in which they were written.
type shelf struct {
	mu     sync.Mutex // guards the rest
	texts  []string
	broken bool

	release chan struct{} // ends what a broken connector leaves behind
}

func newShelf() *shelf { return &shelf{release: make(chan struct{})} }

var errBroken = errors.New("the shelf is broken")

func (s *shelf) write(texts ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errBroken
	}
	s.texts = append(s.texts, texts...)
	return nil
}

func (s *shelf) setBroken(broken bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = broken
}

func (s *shelf) delivered() ([]int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var numbers []int
	for _, text := range s.texts {
		digits, ok := strings.CutPrefix(text, "record ")
		n, err := strconv.Atoi(digits)
		if !ok || err != nil {
			return nil, fmt.Errorf("there is %q", text)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

func (s *shelf) clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.texts = nil
}

// sinkOptions make a shelf connector a broken one; the zero value is a good one.
type sinkOptions struct {
	task      func(s *shelf) connect.SinkTask
	connector func(c *shelfConnector) connect.SinkConnector
}

func (o sinkOptions) plugin(s *shelf) connect.Plugin {
	return connect.Plugin{
		Class:     "org.example.ShelfConnector",
		TaskClass: "org.example.ShelfTask",
		Version:   "1",
		Def:       config.New(),
		Sink: func() connect.SinkConnector {
			c := &shelfConnector{shelf: s, options: o}
			if o.connector != nil {
				return o.connector(c)
			}
			return c
		},
	}
}

func (o sinkOptions) sinkCase(s *shelf) conntest.SinkCase {
	return conntest.SinkCase{
		Plugin: o.plugin(s),
		Limit:  shortLimit,
		Setup: func(conntest.TB) conntest.SinkEnv {
			s.clear()
			return conntest.SinkEnv{Delivered: s.delivered, Break: s.setBroken}
		},
	}
}

type shelfConnector struct {
	shelf   *shelf
	options sinkOptions
	props   connect.Props
}

func (c *shelfConnector) Start(_ context.Context, _ *connect.ConnectorContext, p connect.Props) error {
	c.props = p
	return nil
}

func (c *shelfConnector) TaskConfigs(_ context.Context, limit int) ([]connect.Props, error) {
	configs := make([]connect.Props, limit)
	for i := range configs {
		configs[i] = c.props
	}
	return configs, nil
}

func (c *shelfConnector) NewTask() connect.SinkTask {
	if c.options.task != nil {
		return c.options.task(c.shelf)
	}
	return &plainTask{shelf: c.shelf}
}

func (c *shelfConnector) Stop(context.Context) error { return nil }

// plainTask is a good task that writes in Put.
type plainTask struct{ shelf *shelf }

func (t *plainTask) Start(context.Context, *connect.SinkTaskContext, connect.Props) error { return nil }

func (t *plainTask) Put(_ context.Context, recs []connect.SinkRecord) error {
	if err := t.shelf.write(texts(recs)...); err != nil {
		return connect.Retriable(err)
	}
	return nil
}

func (t *plainTask) Stop(context.Context) error { return nil }

func texts(recs []connect.SinkRecord) []string {
	var all []string
	for i := range recs {
		all = append(all, recs[i].Value.String())
	}
	return all
}

// bufferingTask is a good task that writes in Flush, and forgets what it has for partitions that it loses.
type bufferingTask struct {
	shelf  *shelf
	buffer []connect.SinkRecord
}

func (t *bufferingTask) Start(context.Context, *connect.SinkTaskContext, connect.Props) error {
	return nil
}

func (t *bufferingTask) Open(context.Context, []connect.TopicPartition) error { return nil }

func (t *bufferingTask) Close(_ context.Context, tps []connect.TopicPartition) error {
	kept := t.buffer[:0]
	for _, r := range t.buffer {
		if !contains(tps, r.Original.TopicPartition) {
			kept = append(kept, r)
		}
	}
	t.buffer = kept
	return nil
}

func contains(tps []connect.TopicPartition, tp connect.TopicPartition) bool {
	for _, x := range tps {
		if x == tp {
			return true
		}
	}
	return false
}

func (t *bufferingTask) Put(_ context.Context, recs []connect.SinkRecord) error {
	t.buffer = append(t.buffer, recs...)
	return nil
}

func (t *bufferingTask) Flush(context.Context, connect.Offsets) error {
	err := t.shelf.write(texts(t.buffer)...)
	t.buffer = nil
	return err
}

func (t *bufferingTask) Stop(context.Context) error { return nil }

// packingTask is a good task that writes packs of five records and commits whole packs only.
type packingTask struct {
	shelf *shelf
	open  map[connect.TopicPartition][]connect.SinkRecord
	safe  connect.Offsets
}

const packSize = 5

func (t *packingTask) Start(context.Context, *connect.SinkTaskContext, connect.Props) error {
	t.open, t.safe = map[connect.TopicPartition][]connect.SinkRecord{}, connect.Offsets{}
	return nil
}

func (t *packingTask) Open(context.Context, []connect.TopicPartition) error { return nil }

func (t *packingTask) Close(_ context.Context, tps []connect.TopicPartition) error {
	for _, tp := range tps {
		delete(t.open, tp)
		delete(t.safe, tp)
	}
	return nil
}

func (t *packingTask) Put(_ context.Context, recs []connect.SinkRecord) error {
	for _, r := range recs {
		tp := r.Original.TopicPartition
		if pack := t.open[tp]; len(pack) == 0 || pack[len(pack)-1].Offset < r.Offset {
			t.open[tp] = append(pack, r)
		}
	}
	for tp, pack := range t.open {
		for len(pack) >= packSize {
			if err := t.shelf.write(texts(pack[:packSize])...); err != nil {
				return connect.Retriable(err)
			}
			t.safe[tp] = pack[packSize-1].Offset + 1
			pack = pack[packSize:]
			t.open[tp] = pack
		}
	}
	return nil
}

func (t *packingTask) PreCommit(_ context.Context, offsets connect.Offsets) (connect.Offsets, error) {
	for tp := range offsets {
		n, ok := t.safe[tp]
		if !ok {
			delete(offsets, tp)
			continue
		}
		offsets[tp] = n
	}
	return offsets, nil
}

func (t *packingTask) Stop(context.Context) error { return nil }

package conntest_test

import (
	"context"

	"github.com/millrace-io/millrace/connect"
)

// keepingTask keeps the slice of Put until the flush.
type keepingTask struct {
	plainTask
	kept [][]connect.SinkRecord
}

func (t *keepingTask) Put(_ context.Context, recs []connect.SinkRecord) error {
	t.kept = append(t.kept, recs)
	return nil
}

func (t *keepingTask) Flush(context.Context, connect.Offsets) error {
	for _, recs := range t.kept {
		if err := t.shelf.write(texts(recs)...); err != nil {
			return err
		}
	}
	t.kept = nil
	return nil
}

// lyingTask writes when it is stopped, and not when it is flushed.
type lyingTask struct{ bufferingTask }

func (t *lyingTask) Flush(context.Context, connect.Offsets) error { return nil }

func (t *lyingTask) Close(ctx context.Context, _ []connect.TopicPartition) error {
	return t.bufferingTask.Flush(ctx, nil)
}

// closingTask flushes the partitions that are asked for, and forgets all others as well when it loses those.
type closingTask struct{ bufferingTask }

func (t *closingTask) Flush(_ context.Context, offsets connect.Offsets) error {
	var asked, others []connect.SinkRecord
	for _, r := range t.buffer {
		if _, ok := offsets[r.Original.TopicPartition]; ok {
			asked = append(asked, r)
		} else {
			others = append(others, r)
		}
	}
	t.buffer = others
	return t.shelf.write(texts(asked)...)
}

func (t *closingTask) Close(context.Context, []connect.TopicPartition) error {
	t.buffer = nil
	return nil
}

// doublingTask writes the last record of each put twice.
type doublingTask struct{ plainTask }

func (t *doublingTask) Put(ctx context.Context, recs []connect.SinkRecord) error {
	if err := t.plainTask.Put(ctx, recs); err != nil || len(recs) == 0 {
		return err
	}
	return t.plainTask.Put(ctx, recs[len(recs)-1:])
}

// carelessTask ignores a destination that refuses.
type carelessTask struct{ plainTask }

func (t *carelessTask) Put(_ context.Context, recs []connect.SinkRecord) error {
	_ = t.shelf.write(texts(recs)...)
	return nil
}

// fragileTask fails for good when the destination refuses.
type fragileTask struct{ plainTask }

func (t *fragileTask) Put(_ context.Context, recs []connect.SinkRecord) error {
	return t.shelf.write(texts(recs)...)
}

// countingTask takes a record that it has seen before for one that it has written.
type countingTask struct {
	bufferingTask
	next map[connect.TopicPartition]int64
}

func (t *countingTask) Put(ctx context.Context, recs []connect.SinkRecord) error {
	if t.next == nil {
		t.next = map[connect.TopicPartition]int64{}
	}
	for i, r := range recs {
		if r.Offset >= t.next[r.Original.TopicPartition] {
			t.next[r.Original.TopicPartition] = r.Offset + 1
			if err := t.bufferingTask.Put(ctx, recs[i:i+1]); err != nil {
				return err
			}
		}
	}
	return nil
}

// firstTask expects every put to have records.
type firstTask struct{ plainTask }

func (t *firstTask) Put(ctx context.Context, recs []connect.SinkRecord) error {
	_ = recs[0]
	return t.plainTask.Put(ctx, recs)
}

// beginningTask writes something that is no record.
type beginningTask struct{ plainTask }

func (t *beginningTask) Start(context.Context, *connect.SinkTaskContext, connect.Props) error {
	return t.shelf.write("begin")
}

// deafSinkTask waits for a broken destination whatever its context says.
type deafSinkTask struct{ plainTask }

func (t *deafSinkTask) Put(ctx context.Context, recs []connect.SinkRecord) error {
	if err := t.plainTask.Put(ctx, recs); err != nil {
		<-t.shelf.release
	}
	return nil
}

// reversingTask writes each put backwards.
type reversingTask struct{ plainTask }

func (t *reversingTask) Put(ctx context.Context, recs []connect.SinkRecord) error {
	for i := len(recs) - 1; i >= 0; i-- {
		if err := t.plainTask.Put(ctx, recs[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// idleTask agrees to no commit.
type idleTask struct{ plainTask }

func (t *idleTask) PreCommit(context.Context, connect.Offsets) (connect.Offsets, error) {
	return nil, nil
}

// leakingSinkTask leaves a goroutine behind.
type leakingSinkTask struct{ plainTask }

func (t *leakingSinkTask) Start(context.Context, *connect.SinkTaskContext, connect.Props) error {
	go func() { <-t.shelf.release }()
	return nil
}

// steeringTask is a good task that pauses, resumes, seeks, reports and asks for commits.
type steeringTask struct {
	plainTask
	tc    *connect.SinkTaskContext
	steps int
}

func (t *steeringTask) Start(_ context.Context, tc *connect.SinkTaskContext, _ connect.Props) error {
	t.tc = tc
	return nil
}

func (t *steeringTask) Put(ctx context.Context, recs []connect.SinkRecord) error {
	t.steps++
	assigned := t.tc.Assignment()
	if len(assigned) == 0 {
		return nil
	}
	var err error
	switch t.steps % 4 {
	case 1:
		err = t.tc.Pause(assigned...)
	case 2:
		err = t.tc.Resume(assigned...)
	case 3:
		t.tc.RequestCommit()
	}
	if err != nil {
		return err
	}
	return t.plainTask.Put(ctx, recs)
}

// greedySinkConnector makes more task configurations than it may.
type greedySinkConnector struct{ *shelfConnector }

func (c greedySinkConnector) TaskConfigs(ctx context.Context, limit int) ([]connect.Props, error) {
	return c.shelfConnector.TaskConfigs(ctx, limit+1)
}

// panickingAlterer cannot cope with an offset that is to be deleted.
type panickingAlterer struct{ *shelfConnector }

func (c panickingAlterer) AlterOffsets(_ context.Context, _ connect.Props, offsets map[connect.TopicPartition]*int64) (bool, error) {
	sum := int64(0)
	for _, n := range offsets {
		sum += *n
	}
	return sum > 0, nil
}

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

const (
	startBar   = 0.3 // seconds
	javaStarts = 3   // at most; each takes long and they scatter little
)

// measureStart times both workers from their start to the first answer of GET /, each start with an empty folder.
func measureStart(ctx context.Context, r *rig) (section, error) {
	s := section{
		title: "Start",
		intro: fmt.Sprintf("From the start of the process to the first answer of GET /, with Kafka at hand. Medians of %d starts of Millrace and %d "+
			"of the Java worker, both in standalone mode.", r.starts, min(r.starts, javaStarts)),
	}
	var seconds [sideCount][]float64
	for range r.starts {
		took, err := r.startMillrace(ctx)
		if err != nil {
			return s, err
		}
		seconds[ours] = append(seconds[ours], took.Seconds())
	}
	note("start, Millrace: %s s", spread(seconds[ours], thousandths))
	for i := range min(r.starts, javaStarts) {
		took, err := r.startJava(ctx, i)
		if err != nil {
			return s, err
		}
		seconds[java] = append(seconds[java], took.Seconds())
	}
	note("start, Java worker: %s s", spread(seconds[java], tenths))
	s.tables = []table{
		{head: []string{"", "seconds"}, rows: [][]string{
			{sideNames[ours], spread(seconds[ours], thousandths)},
			{sideNames[java], spread(seconds[java], tenths)},
		}},
		verdicts(verdict{"first answer of Millrace, s", median(seconds[ours]), atMost, startBar, thousandths}),
	}
	return s, nil
}

func (r *rig) startMillrace(ctx context.Context) (time.Duration, error) {
	m := r.millrace()
	defer m.close()
	began := time.Now()
	if err := m.start(); err != nil {
		return 0, err
	}
	if err := m.answer(ctx); err != nil {
		return 0, err
	}
	took := time.Since(began)
	return took, m.end(ctx, job{})
}

func (r *rig) startJava(ctx context.Context, i int) (time.Duration, error) {
	w := &javaWorker{bootstrap: r.bootstrap(), dir: filepath.Join(r.dir, fmt.Sprintf("java-start-%d", i))}
	defer w.close()
	began := time.Now()
	err := w.start(ctx)
	return time.Since(began), err
}

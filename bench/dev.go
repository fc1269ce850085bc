package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/millrace-io/millrace/test/bed"
)

const (
	devStartBar  = 0.5 // seconds
	devMemoryBar = 80  // MB
)

// measureDev times `millrace dev` from its start to the first answer, in a new folder and in one with data, and reads its memory after
// it has run the demo for a while.
func measureDev(ctx context.Context, r *rig) (section, error) {
	s := section{
		title: "Development mode",
		intro: fmt.Sprintf("`millrace dev`: embedded broker, worker and demo in one process. From its start to the first answer of GET /, medians of %d "+
			"starts; and its resident memory %v after a start, with the demo running.", r.starts, r.idle),
	}
	var fresh, again []float64
	for i := range r.starts {
		dir := r.path(fmt.Sprintf("dev-%d", i))
		for _, seconds := range []*[]float64{&fresh, &again} {
			took, _, err := r.startDev(ctx, dir, 0)
			if err != nil {
				return s, err
			}
			*seconds = append(*seconds, took.Seconds())
		}
	}
	note("letting the demo run for %v", r.idle)
	_, bytes, err := r.startDev(ctx, r.path("dev-memory"), r.idle)
	if err != nil {
		return s, err
	}
	s.tables = []table{
		{head: []string{"", ""}, rows: [][]string{
			{"first answer in a new folder, s", spread(fresh, thousandths)},
			{"first answer in a folder with data, s", spread(again, thousandths)},
			{"resident memory, MB", whole(megabytes(bytes))},
		}},
		verdicts(
			verdict{"first answer, s", max(median(fresh), median(again)), atMost, devStartBar, thousandths},
			verdict{"resident memory, MB", megabytes(bytes), atMost, devMemoryBar, whole},
		),
	}
	return s, nil
}

// startDev runs the development mode until a while after its first answer, and until something is in the demo's file.
func (r *rig) startDev(ctx context.Context, dir string, linger time.Duration) (took time.Duration, bytes int64, err error) {
	port, err := freePort()
	if err != nil {
		return 0, 0, err
	}
	kafka, err := freePort()
	if err != nil {
		return 0, 0, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, 0, err
	}
	bin, err := bed.MillraceBinary()
	if err != nil {
		return 0, 0, err
	}
	began := time.Now()
	p, err := bed.StartProcess(bed.ProcessOptions{
		Path: bin, Dir: dir, LogFile: filepath.Join(dir, "output.log"),
		Args: []string{"dev", "--data-dir", dir, "--port", fmt.Sprint(port), "--kafka-port", fmt.Sprint(kafka)},
	})
	if err != nil {
		return 0, 0, err
	}
	defer p.Kill()
	m := &millrace{process: p}
	m.rest = rest("http://" + bed.Address(port))
	if err := m.answer(ctx); err != nil {
		return 0, 0, err
	}
	took = time.Since(began)
	written := func(context.Context) (int64, error) { return fileSize(filepath.Join(dir, "demo-users.jsonl")) }
	if err := arrive(ctx, 1, written, func(ctx context.Context) error { return m.check(ctx, job{Name: "demo-sink"}) }); err != nil {
		return 0, 0, err
	}
	if err := wait(ctx, linger); err != nil {
		return 0, 0, err
	}
	bytes, err = memory(p.Pid(), residentNow)
	return took, bytes, errors.Join(err, m.end(ctx, job{}))
}

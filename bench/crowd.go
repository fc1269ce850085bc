package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"time"

	"github.com/millrace-io/millrace/test/bed"
)

const (
	crowdBar       = 10 // seconds
	crowdFasterBar = 5
	crowdMemoryBar = 0.1 // of the Java worker's
	// crowdLimit is how long a worker may take; Java needs minutes.
	crowdLimit = 30 * time.Minute
)

// measureCrowd creates many connectors one by one on a distributed worker and waits until all of them run.
func measureCrowd(ctx context.Context, r *rig) (section, error) {
	s := section{
		title: "Many connectors",
		intro: fmt.Sprintf("%d FileStreamSources of one task, whose file is empty, created one after the other over REST on one distributed worker: from "+
			"the first request until all connectors and tasks are RUNNING. Resident memory %v later.", r.sources, r.idle),
	}
	var seconds, mb [sideCount]float64
	starts := map[int]starter{ours: r.millraceCluster, java: r.javaCluster}
	for _, who := range []int{ours, java} {
		var err error
		if seconds[who], mb[who], err = r.crowd(ctx, starts[who]); err != nil {
			return s, fmt.Errorf("%s: %w", sideNames[who], err)
		}
		note("%d connectors, %s: %.1f s, %.0f MB", r.sources, sideNames[who], seconds[who], mb[who])
	}
	t := table{head: []string{"", "seconds", "MB"}}
	for _, who := range []int{ours, java} {
		t.rows = append(t.rows, []string{sideNames[who], tenths(seconds[who]), whole(mb[who])})
	}
	s.tables = []table{t, verdicts(
		verdict{"all running, s", seconds[ours], atMost, crowdBar, tenths},
		verdict{"times as fast as Java", seconds[java] / seconds[ours], atLeast, crowdFasterBar, tenths},
		verdict{"memory, of Java's", mb[ours] / mb[java], atMost, crowdMemoryBar, hundredths},
	)}
	return s, nil
}

// starter starts a worker and returns how to reach it, its process, and how to end it.
type starter func(ctx context.Context) (worker rest, process *bed.Process, stop func(), err error)

// crowd starts a worker and returns how long its connectors took, and its memory in MB after a rest.
func (r *rig) crowd(ctx context.Context, start starter) (seconds, mb float64, err error) {
	ctx, cancel := context.WithTimeout(ctx, crowdLimit)
	defer cancel()
	worker, process, stop, err := start(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer stop()
	file := r.path("empty.txt")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return 0, 0, err
	}
	began := time.Now()
	for i := range r.sources {
		name := fmt.Sprintf("one-of-many-%d", i)
		config := map[string]string{
			"name": name, "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": "1", "file": file, "topic": name,
		}
		if err := worker.insist(ctx, name, config); err != nil {
			return 0, 0, err
		}
	}
	for {
		n, err := worker.running(ctx)
		if err == nil && n == r.sources {
			break
		}
		if err := wait(ctx, firstLook); err != nil {
			return 0, 0, fmt.Errorf("%d of %d connectors run: %w", n, r.sources, err)
		}
	}
	seconds = time.Since(began).Seconds()
	if err := wait(ctx, r.idle); err != nil {
		return 0, 0, err
	}
	bytes, err := memory(process.Pid(), residentNow)
	return seconds, megabytes(bytes), err
}

// insist creates a connector, again and again while the worker answers that a rebalance is going on.
func (r rest) insist(ctx context.Context, name string, config map[string]string) error {
	for {
		err := r.create(ctx, name, config)
		if err == nil {
			return nil
		}
		if _, known := r.call(ctx, http.StatusOK, http.MethodGet, "/connectors/"+name, nil); known == nil {
			return nil
		}
		if waitErr := wait(ctx, firstLook); waitErr != nil {
			return err
		}
	}
}

// running counts the connectors that run with one task that runs.
func (r rest) running(ctx context.Context) (n int, err error) {
	text, err := r.call(ctx, http.StatusOK, http.MethodGet, "/connectors?expand=status", nil)
	if err != nil {
		return 0, err
	}
	type state struct {
		State string `json:"state"`
	}
	var all map[string]struct {
		Status struct {
			Connector state   `json:"connector"`
			Tasks     []state `json:"tasks"`
		} `json:"status"`
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return 0, err
	}
	for _, c := range all {
		if c.Status.Connector.State == "RUNNING" && len(c.Status.Tasks) == 1 && c.Status.Tasks[0].State == "RUNNING" {
			n++
		}
	}
	return n, nil
}

func (r *rig) millraceCluster(ctx context.Context) (rest, *bed.Process, func(), error) {
	m := r.millrace()
	m.cluster = "crowd-millrace"
	if err := m.start(); err != nil {
		return "", nil, nil, err
	}
	err := m.answer(ctx)
	return m.rest, m.process, m.close, err
}

func (r *rig) javaCluster(ctx context.Context) (rest, *bed.Process, func(), error) {
	w := &javaWorker{bootstrap: r.bootstrap(), dir: r.path("java-crowd"), cluster: "crowd-java"}
	err := w.start(ctx)
	if err != nil {
		w.close()
		return "", nil, nil, err
	}
	return w.rest(), w.worker.Process(), w.close, nil
}

// clusterProps are what makes a worker the only one of a group.
func clusterProps(group string) map[string]string {
	props := bed.DistributedProperties(group)
	maps.Copy(props, map[string]string{"scheduled.rebalance.max.delay.ms": "0"})
	return props
}

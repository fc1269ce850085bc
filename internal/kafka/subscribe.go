package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// retryScan is the pause after a look at the cluster's topics that did not work.
const retryScan = time.Second

// followTopics keeps the subscription equal to the topics that match, looking every metadata.max.age.ms until ctx ends. The
// patterns of franz-go are Go's and match anywhere in a name; ours are Java's and match the whole of it.
func (c *Consumer) followTopics() {
	refused := map[string]bool{} // topics whose match failed, to say so once
	for c.ctx.Err() == nil {
		pause := c.set.metadataAge
		if err := c.scan(c.ctx, refused); err != nil {
			pause = min(pause, retryScan)
			c.log.Debug("the topics to consume are not known yet", "error", err)
		}
		select {
		case <-time.After(pause):
		case <-c.ctx.Done():
		}
	}
}

// scan looks once.
func (c *Consumer) scan(ctx context.Context, refused map[string]bool) error {
	names, unsure, err := c.topics(ctx)
	if err != nil {
		return err
	}
	var want []string
	for _, name := range names {
		ok, err := c.opts.Match(name)
		if err != nil && !refused[name] {
			refused[name] = true
			c.log.Warn("a topic is not consumed because its name could not be matched", "topic", name, "error", err)
		}
		if ok && err == nil {
			want = append(want, name)
		}
	}
	have := c.client.GetConsumeTopics()
	if added := without(want, have); len(added) > 0 {
		c.log.Info("topics match the pattern and are consumed from now on", "topics", added)
		c.client.AddConsumeTopics(added...)
	}
	if gone := without(without(have, want), unsure); len(gone) > 0 {
		c.log.Info("topics that matched the pattern are gone", "topics", gone)
		c.client.PurgeTopicsFromConsuming(gone...)
	}
	return nil
}

// topics lists the topics that a pattern may select, and those of which the cluster cannot say at the moment whether it has them.
func (c *Consumer) topics(ctx context.Context) (names, unsure []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.set.apiTimeout)
	defer cancel()
	req := kmsg.NewPtrMetadataRequest() // nil topics ask for all
	resp, err := req.RequestWith(ctx, c.client)
	if err != nil {
		return nil, nil, fmt.Errorf("list topics: %w", err)
	}
	for _, t := range resp.Topics {
		switch {
		case t.Topic == nil || t.IsInternal && !c.set.internal:
		case t.ErrorCode == 0:
			names = append(names, *t.Topic)
		default:
			unsure = append(unsure, *t.Topic)
		}
	}
	slices.Sort(names)
	return names, unsure, nil
}

// without returns what of a is not in b.
func without(a, b []string) []string {
	var out []string
	for _, s := range a {
		if !slices.Contains(b, s) {
			out = append(out, s)
		}
	}
	return out
}

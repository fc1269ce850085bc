package group

import "time"

// backoffBase is by what the pause between revocations in a row grows, from 1 ms.
const backoffBase = 40

// balance takes items from workers that have more than their share, to be placed in the next round. While a delay is
// pending it does nothing, as the items of the missing member will change the loads.
func (a *Assignor) balance(now time.Time, configured [kinds]int, ws []*worker) {
	if a.delay != 0 {
		a.revoking = false
		return
	}
	cuts := surplus(configured, ws)
	switch {
	case len(cuts) == 0:
		if a.revoking {
			a.revoking, a.streak = false, 0
		}
		return
	case a.revoking:
		// The last revocation did not help. Wait, longer each time, lest items move in circles.
		a.streak++
		if a.delay = backoff(a.streak, a.maxDelay); a.delay != 0 {
			a.due = now.Add(a.delay)
			return
		}
	}
	a.revoking = true
	for _, c := range cuts {
		c.worker.shed(c.kind, c.n)
	}
}

func backoff(streak int, limit time.Duration) time.Duration {
	d := time.Millisecond
	for ; streak > 0 && d < limit; streak-- {
		d *= backoffBase
	}
	return min(d, limit)
}

// cut says that a worker has n items of a kind too many.
type cut struct {
	worker *worker
	kind   kind
	n      int
}

func surplus(configured [kinds]int, ws []*worker) []cut {
	if configured[connectorKind]+configured[taskKind] == 0 {
		return nil
	}
	var cuts []cut
	for k, total := range configured {
		cuts = append(cuts, surplusOf(kind(k), total, ws)...)
	}
	return cuts
}

// surplusOf is surplus for one kind: of total items, each worker may keep as many as divide evenly, and the first ones that
// have one more may keep it while there is a remainder.
func surplusOf(k kind, total int, ws []*worker) []cut {
	fair, extra := total/len(ws), total%len(ws)
	if balanced(k, fair, extra, ws) {
		return nil
	}
	var cuts []cut
	for _, w := range ws {
		load := len(w.own[k])
		if load <= fair {
			continue
		}
		keep := fair
		if extra > 0 {
			extra--
			keep++
		}
		if load > keep {
			cuts = append(cuts, cut{worker: w, kind: k, n: load - keep})
		}
	}
	return cuts
}

func balanced(k kind, fair, extra int, ws []*worker) bool {
	var atFair, above int
	for _, w := range ws {
		switch len(w.own[k]) {
		case fair:
			atFair++
		case fair + 1:
			above++
		}
	}
	return above == extra && atFair+above == len(ws)
}

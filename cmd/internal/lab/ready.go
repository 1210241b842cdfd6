package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
)

// A cluster that was found broken so many times in a row, with a look at it each so
// often, is given up. One that merely answers late recovers sooner.
const (
	looksWhileBroken = 5
	lookEvery        = 2 * time.Second
)

// ready waits until the cluster works, as far as its flavor can, and no longer than it
// lives.
func (l *Lab) ready(ctx context.Context, r state.Record, config []byte, report providers.Reporter) error {
	want := probe.Want{Nodes: r.Spec.ControlPlanes + r.Spec.Workers, DNS: r.Traits.RunsPods}
	if r.Phase == state.PhaseCreated { // one that is just being made has no past that could deceive
		c, err := l.Set.Find(ctx, refOf(r))
		if err != nil {
			return err
		}
		want.Since = c.Since
	}
	name := "Waiting for nodes"
	if want.DNS {
		name = "Waiting for nodes and DNS"
	}
	return report.Do(name, func(step *providers.Step) error {
		living, giveUp := context.WithCancelCause(ctx)
		defer giveUp(nil)
		done := make(chan struct{})
		go func() {
			defer close(done)
			l.watch(living, r, giveUp)
		}()
		err := l.Probe.Wait(living, config, want, step.Progress)
		if cause := context.Cause(living); err != nil && ctx.Err() == nil && cause != nil {
			err = cause
		}
		giveUp(nil)
		<-done
		return err
	})
}

// watch gives up on a cluster that is gone, or whose nodes die while it is waited for.
func (l *Lab) watch(ctx context.Context, r state.Record, giveUp context.CancelCauseFunc) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for broken := 0; broken < looksWhileBroken; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		c, err := l.Set.Find(ctx, refOf(r))
		switch {
		case errors.Is(err, providers.ErrNotFound), errors.Is(err, providers.ErrForeign):
			giveUp(err)
			return
		case err != nil: // its tool cannot be asked now
		case c.State == providers.StateDegraded, c.State == providers.StateStopped:
			if broken++; broken == looksWhileBroken {
				giveUp(fmt.Errorf("it broke while it was waited for: %s", cmp.Or(c.Reason, "it is "+string(c.State))))
			}
		default:
			broken = 0
		}
	}
}

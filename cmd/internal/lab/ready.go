package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// A cluster that was found broken so many times in a row, with a look at it each so
// often, is given up. One that merely answers late recovers sooner.
const (
	looksWhileBroken = 5
	lookEvery        = 2 * time.Second
)

// Wait says how much of a cluster a command waits for.
type Wait string

// The levels of waiting; each includes those before it.
const (
	WaitAPI   Wait = "api"   // the API server answers
	WaitNodes Wait = "nodes" // the nodes are ready
	WaitAll   Wait = "all"   // and DNS works, where pods run
)

// Set parses s, as a flag value. It returns ErrInvalid for anything but a level.
func (w *Wait) Set(s string) error {
	switch level := Wait(s); level {
	case WaitAPI, WaitNodes, WaitAll:
		*w = level
		return nil
	}
	return fault.Errorf(fault.ErrInvalid, "%q is not a level of --wait: use api, nodes or all", s)
}

// String returns the level as it is typed.
func (w *Wait) String() string { return string(*w) }

// Type names the choices, for the help text of a flag.
func (w *Wait) Type() string { return "api|nodes|all" }

// wanted is what makes a cluster ready, as far as its flavor and the configuration of its
// tool allow. c is the cluster as its tool shows it.
func wanted(r state.Record, c providers.Cluster, level Wait) probe.Want {
	if level == WaitAPI {
		return probe.Want{}
	}
	want := probe.Want{
		Nodes: r.Spec.ControlPlanes + r.Spec.Workers, Names: c.Nodes,
		DNS:     r.Traits.RunsPods && level != WaitNodes,
		Without: r.Traits.Without, Settled: !r.NotReady,
	}
	if r.NotReady { // one that is just being created has no past that could deceive
		return want
	}
	for node, began := range c.Since {
		if r.ReadyAt != nil && began.Before(*r.ReadyAt) {
			continue // it was seen to be ready since, and need not report again
		}
		if want.Since == nil {
			want.Since = map[string]time.Time{}
		}
		want.Since[node] = began
	}
	return want
}

// ready waits until the cluster is as wanted, and no longer than it lives.
func (l *Lab) ready(ctx context.Context, r state.Record, want probe.Want, config []byte, report event.Reporter) error {
	name := "Waiting for nodes"
	switch {
	case want.DNS:
		name = "Waiting for nodes and DNS"
	case want.Nodes == 0:
		name = "Waiting for the API server"
	}
	return report.Do(name, func(step *event.Step) error {
		return l.whileAlive(ctx, r, func(ctx context.Context) error {
			return l.Probe.Wait(ctx, config, want, step.Progress)
		})
	})
}

// whileAlive does what takes a while in a cluster. It ends that, and returns why, where the
// cluster is gone or breaks meanwhile: nothing comes any more that could be waited for.
func (l *Lab) whileAlive(ctx context.Context, r state.Record, do func(context.Context) error) error {
	living, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.watch(living, r, giveUp)
	}()
	err := do(living)
	if cause := context.Cause(living); err != nil && ctx.Err() == nil && cause != nil {
		err = cause
	}
	giveUp(nil)
	<-done
	return err
}

// withRestart tells how nodes register again whose Node objects were deleted.
func withRestart(r state.Record, err error) error {
	if _, gone := errors.AsType[*probe.NodesGone](err); !gone {
		return err
	}
	return fault.WithHint(err, "a node registers when it starts: lab stop %s, then lab start %s; or recreate the cluster, whose contents are lost: "+
		"lab up %s --recreate", r.Name, r.Name, r.Name)
}

// goneError is the error of a cluster of which another program removed parts.
func goneError(r state.Record, gone []providers.Part) error {
	return fault.WithHint(fmt.Errorf("cluster %q is incomplete: %s", r.Name, goneText(gone)), "%s", goneFix(r, gone))
}

// goneText names the parts that are gone.
func goneText(gone []providers.Part) string {
	if len(gone) == 1 {
		return gone[0].String() + " is gone: another program removed it"
	}
	names := make([]string, len(gone))
	for i, p := range gone {
		names[i] = p.String()
	}
	return strings.Join(names, ", ") + " are gone: another program removed them"
}

// goneFix is the command that brings parts back.
func goneFix(r state.Record, gone []providers.Part) string {
	if !repairable(gone) {
		return fmt.Sprintf("recreate the cluster, whose contents are lost: lab up %s --recreate", r.Name)
	}
	return "lab start " + r.Name
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
		case errors.Is(err, fault.ErrNotFound), errors.Is(err, fault.ErrForeign):
			giveUp(err)
			return
		case err != nil: // its tool cannot be asked now
		case c.State == providers.StateDegraded, c.State == providers.StateStopped:
			if broken++; broken == looksWhileBroken {
				giveUp(fmt.Errorf("the cluster broke while lab waited for it: %s", cmp.Or(c.Reason, "it is "+string(c.State))))
			}
		default:
			broken = 0
		}
	}
}

// repairable tells whether a start creates all of the parts again.
func repairable(gone []providers.Part) bool {
	return !slices.ContainsFunc(gone, func(p providers.Part) bool { return !p.Repair })
}

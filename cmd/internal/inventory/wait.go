package inventory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// A cluster that is broken in looksWhileBroken listings in a row, lookEvery apart, is given up. A
// cluster that only answers late recovers sooner.
const (
	looksWhileBroken = 5
	lookEvery        = 2 * time.Second
)

// Wait is how much of a cluster a command waits for.
type Wait string

// The levels of waiting. Each includes those before it. "" is WaitAll.
const (
	WaitAPI   Wait = "api"   // the API server answers
	WaitNodes Wait = "nodes" // the nodes are ready
	WaitAll   Wait = "all"   // DNS works, if the cluster runs pods
)

// Set parses the value of a flag. It returns ErrInvalid if s is not a level.
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

// Type names the choices in the help text of a flag.
func (w *Wait) Type() string { return "api|nodes|all" }

// wanted returns the conditions of a ready cluster, as far as its flavor and the configuration of its tool
// allow. c is the cluster as its tool lists it.
func wanted(r state.Record, c providers.Cluster, level Wait) probe.Want {
	if level == WaitAPI {
		return probe.Want{}
	}
	want := probe.Want{
		Nodes: r.Spec.ControlPlanes + r.Spec.Workers, Names: c.Nodes,
		DNS:     r.Traits.RunsPods && level != WaitNodes,
		Without: r.Traits.Without, Settled: !r.NotReady,
	}
	if r.NotReady { // the API server of a new cluster has no outdated reports
		return want
	}
	for node, began := range c.Since {
		if r.ReadyAt != nil && began.Before(*r.ReadyAt) {
			continue // it has reported since it began to run
		}
		if want.Since == nil {
			want.Since = map[string]time.Time{}
		}
		want.Since[node] = began
	}
	return want
}

// AwaitReady waits until a running cluster is ready as far as level says, and records that and its
// parts. It returns early if the cluster breaks.
func (i *Inventory) AwaitReady(ctx context.Context, h *Handle, level Wait, report event.Reporter) error {
	c, err := h.Cluster(ctx)
	if err != nil {
		return err
	}
	config, err := h.Kubeconfig(ctx)
	if err != nil {
		return err
	}
	r := &h.Record
	if gone := providers.Gone(r.Parts, c.Parts); len(gone) > 0 {
		return GoneError(*r, gone)
	}
	want, all := wanted(*r, c, level), wanted(*r, c, WaitAll)
	err = report.For(r.Name).Do(stepOf(want), func(step *event.Step) error {
		return i.WhileAlive(ctx, *r, func(ctx context.Context) error {
			return i.Probe.Wait(ctx, config, want, step.Progress)
		})
	})
	if err != nil {
		return WithRestart(*r, fmt.Errorf("%s: cluster %q is not ready: %w", r.Flavor, r.Name, err))
	}
	if want.Nodes == all.Nodes && want.DNS == all.DNS {
		now := i.Now().UTC()
		r.NotReady, r.ReadyAt = false, &now
	}
	if c.Parts != nil {
		r.Parts = c.Parts
	}
	return h.Put()
}

func stepOf(want probe.Want) string {
	switch {
	case want.DNS:
		return "Waiting for nodes and DNS"
	case want.Nodes == 0:
		return "Waiting for the API server"
	}
	return "Waiting for nodes"
}

// WithRestart adds to the error of nodes without Node objects how they register again.
func WithRestart(r state.Record, err error) error {
	if _, gone := errors.AsType[*probe.NodesGone](err); !gone {
		return err
	}
	return fault.WithHint(err, "a node registers when it starts: lab stop %s, then lab start %s; or recreate the cluster, and lose its contents: "+
		"lab up %s --recreate", r.Name, r.Name, r.Name)
}

// WhileAlive calls do, which waits for something in a cluster. If the cluster is deleted or breaks
// meanwhile, WhileAlive ends the context of do and returns why.
func (i *Inventory) WhileAlive(ctx context.Context, r state.Record, do func(context.Context) error) error {
	living, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		i.watch(living, r, giveUp)
	}()
	err := do(living)
	if cause := context.Cause(living); err != nil && ctx.Err() == nil && cause != nil {
		err = cause
	}
	giveUp(nil)
	<-done
	return err
}

// watch calls giveUp if the cluster is deleted, or if its nodes die.
func (i *Inventory) watch(ctx context.Context, r state.Record, giveUp context.CancelCauseFunc) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for broken := 0; broken < looksWhileBroken; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		c, err := i.Set.Find(ctx, RefOf(r))
		switch {
		case errors.Is(err, fault.ErrNotFound), errors.Is(err, fault.ErrForeign):
			giveUp(err)
			return
		case err != nil: // the tool cannot be asked now
		case c.State == providers.StateDegraded, c.State == providers.StateStopped:
			if broken++; broken == looksWhileBroken {
				giveUp(fmt.Errorf("the cluster broke while lab waited for it: %s", cmp.Or(c.Reason, "it is "+string(c.State))))
			}
		default:
			broken = 0
		}
	}
}

// Lost returns ErrUnavailable for the error of work in a cluster whose API server no longer answers:
// the errors of single requests name neither the cause nor the fix. It returns any other error
// unchanged.
func (i *Inventory) Lost(ctx context.Context, name string, kubeconfig []byte, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	if _, gone := i.Probe.Look(ctx, kubeconfig, probe.Want{}); gone == nil || ctx.Err() != nil {
		return err
	}
	err = fault.Errorf(fault.ErrUnavailable, "the API server of cluster %q stopped answering: %w", name, err)
	return fault.WithHint(err, "start the cluster: lab start %s; then repeat the command", name)
}

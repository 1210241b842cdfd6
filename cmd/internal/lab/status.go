package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Status returns the cluster with its nodes. Where the API server does not answer,
// the cluster is degraded, and that is no error: see [Cluster.Ready].
func (l *Lab) Status(ctx context.Context, name string) (Cluster, error) {
	h, err := l.open(ctx, name)
	if err != nil {
		return Cluster{}, err
	}
	return l.status(ctx, h, l.State.Busy(name))
}

// status is Status. busy is whether another lab process works on the cluster: one that holds
// the lock itself passes false.
func (l *Lab) status(ctx context.Context, h *handle, busy bool) (Cluster, error) {
	r, found := h.record, providers.Found{Cluster: h.live}
	if h.live == nil {
		all, _ := l.Set.Lookup(ctx, refOf(r)) // the error is in all, too
		found = all[0]
	}
	c, mine := l.settle(r, found.Cluster, found.Err, busy)
	if !mine {
		return c, nil
	}
	h.live = found.Cluster
	l.lookInto(ctx, h, &c)
	if ctx.Err() != nil {
		return Cluster{}, ctx.Err()
	}
	if c.State != providers.StateRunning || c.Hint != "" {
		return c, nil
	}
	var err error
	c.Addons, err = l.addonViews(ctx, h)
	if err == nil {
		for i, a := range c.Addons {
			// Of one that failed before it came into the cluster there is nothing to see.
			if last := r.AddonStates[a.Name]; a.State == addons.StatePending && last.State == addons.StateFailed {
				c.Addons[i].State, c.Addons[i].Reason = last.State, last.Reason
			}
		}
		c.judgeAddons()
		l.remember(ctx, r, c.Addons)
	}
	return c, err
}

// lookInto completes what is known of a cluster that runs with what its API server says. Where
// ctx ends before, it leaves c as it is.
func (l *Lab) lookInto(ctx context.Context, h *handle, c *Cluster) {
	if c.State != providers.StateRunning {
		return
	}
	r := h.record
	config, err := h.kubeconfig(ctx)
	var report probe.Report
	if err == nil {
		report, err = l.Probe.Look(ctx, config, wanted(r, *h.live, WaitAll))
	}
	switch gone := (*probe.NodesGone)(nil); {
	case ctx.Err() != nil:
		return
	case err != nil:
		c.fail(providers.StateDegraded, fmt.Sprintf("its API server does not answer: %v", err), "lab start "+r.Name)
		return
	case errors.As(report.Lacks, &gone):
		c.fail(providers.StateDegraded, gone.Error(), fault.HintOf(withRestart(r, gone)))
	case report.Lacks != nil:
		c.fail(providers.StateDegraded, "waiting for "+report.Lacks.Error(), cmp.Or(fault.HintOf(report.Lacks), "lab up "+r.Name+" waits until it is ready"))
	}
	c.Nodes, c.Missing = report.Nodes, report.Absent
}

// fail sets the state of a cluster that has a problem, the reason and the fix.
func (c *Cluster) fail(s providers.State, reason, fix string) {
	c.State, c.Reason, c.Hint = s, reason, fix
}

// Ready returns nil where everything asked of the cluster is ready, else an error
// that says what is not, with a hint.
func (c Cluster) Ready() error {
	if c.State == providers.StateRunning && c.Hint == "" {
		return c.unready()
	}
	text := fmt.Sprintf("cluster %q is %s", c.Name, c.State)
	if c.Reason != "" {
		text += ": " + c.Reason
	}
	return fault.WithHint(errors.New(text), "%s", c.Hint)
}

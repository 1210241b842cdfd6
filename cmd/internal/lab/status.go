package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Status returns the cluster with its nodes. Where the API server does not answer,
// the cluster is degraded, and that is no error: see [Cluster.Ready].
func (l *Lab) Status(ctx context.Context, name string) (Cluster, error) {
	return l.status(ctx, name, l.State.Busy(name))
}

// status is Status. busy is whether another lab process works on the cluster: one that holds
// the lock itself passes false.
func (l *Lab) status(ctx context.Context, name string, busy bool) (Cluster, error) {
	r, err := l.find(ctx, name)
	if err != nil {
		return Cluster{}, err
	}
	found, _ := l.Set.Lookup(ctx, refOf(r)) // the error is in found, too
	c, mine := l.settle(r, found[0].Cluster, found[0].Err, busy)
	if !mine {
		return c, nil
	}
	l.lookInto(ctx, r, *found[0].Cluster, &c)
	if ctx.Err() != nil {
		return Cluster{}, ctx.Err()
	}
	if c.State != providers.StateRunning || c.Hint != "" {
		return c, nil
	}
	c.Addons, err = l.addonViews(ctx, r)
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
func (l *Lab) lookInto(ctx context.Context, r state.Record, live providers.Cluster, c *Cluster) {
	if c.State != providers.StateRunning {
		return
	}
	config, err := l.Set.Kubeconfig(ctx, refOf(r))
	var report probe.Report
	if err == nil {
		report, err = l.Probe.Look(ctx, config, wanted(r, live, WaitAll))
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

package inventory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// obstacle is why a recorded cluster cannot be used, whatever its tool reports.
type obstacle struct {
	state  providers.State // "" for the state that the tool reports
	reason string
	fix    string // the commands that help
}

// obstacleOf returns why, by its record, a cluster cannot be used, or nil. busy is whether another
// lab process works on it. Every command uses obstacleOf, so that all give the same answer.
func (i *Inventory) obstacleOf(r state.Record, busy bool) *obstacle {
	name := r.Name
	switch {
	case busy && r.Phase == state.PhaseCreating:
		return &obstacle{providers.StateCreating, "another lab process is creating it", "wait until it is ready: lab up " + name}
	case busy && r.Phase == state.PhaseDeleting:
		return &obstacle{providers.StateDeleting, "another lab process is deleting it", "wait until it is deleted; lab list shows it until then"}
	case i.Over(r) && r.Run && r.Phase == state.PhaseCreated:
		return &obstacle{"", "the lab run that created it has ended", "delete it: lab gc"}
	case i.Over(r) && !r.Run:
		o := &obstacle{"", "its time to live ended at " + r.ExpiresAt.UTC().Format(time.RFC3339),
			fmt.Sprintf("lab up %s recreates it; lab gc deletes it", name)}
		if r.Phase == state.PhaseCreated {
			o.fix += fmt.Sprintf("; lab extend %s --ttl 2h keeps it", name)
		} else {
			o.state = providers.StateDegraded
		}
		return o
	case r.Phase == state.PhaseCreating:
		return &obstacle{providers.StateDegraded, "its creation was interrupted", fmt.Sprintf("lab up %s recreates it; lab down %s deletes the rest", name, name)}
	case r.Phase == state.PhaseDeleting:
		return &obstacle{providers.StateDegraded, "its removal was interrupted", fmt.Sprintf("lab down %s deletes the rest; lab up %s recreates it", name, name)}
	}
	return nil
}

// Usable returns ErrUnavailable if, by its record, a cluster cannot be used. busy is whether another
// lab process works on it.
func (i *Inventory) Usable(r state.Record, busy bool) error {
	o := i.obstacleOf(r, busy)
	if o == nil {
		return nil
	}
	return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "cluster %q cannot be used: %s", r.Name, o.reason), "%s", o.fix)
}

// Obstacle returns the reason of Usable's error, or "".
func (i *Inventory) Obstacle(r state.Record, busy bool) string {
	if o := i.obstacleOf(r, busy); o != nil {
		return o.reason
	}
	return ""
}

// Assess decides the state of a recorded cluster from its record and what its tool found. mine is
// whether the cluster of that name is the recorded one. found.Err is ErrInvalid if this lab does not
// have the flavor. busy is whether another lab process works on the cluster.
func (i *Inventory) Assess(r state.Record, found providers.Found, busy bool) (c output.Cluster, mine bool) {
	live, asking := found.Cluster, found.Err
	owner := providers.OwnerUnknown
	if live != nil {
		owner = RefOf(r).Owner(*live)
	}
	mine = owner == providers.OwnerLab
	if mine {
		c = View(r, *live)
	} else {
		c = View(r, providers.Cluster{State: providers.StateUnknown})
		c.Fail(providers.StateUnknown, "it is gone: another program removed it",
			fmt.Sprintf("lab up %s recreates it; lab down %s removes its record", r.Name, r.Name))
	}
	o := i.obstacleOf(r, busy)
	switch {
	case errors.Is(asking, fault.ErrInvalid): // this lab can do nothing with the cluster
		c.Fail(providers.StateUnknown, asking.Error(), fault.HintOf(asking))
	case o != nil && busy && r.Phase != state.PhaseCreated:
		c.Fail(o.state, "", o.fix)
	case owner == providers.OwnerForeign:
		c.Fail(providers.StateUnknown, "another cluster has taken its name", "lab down "+r.Name+" removes the record, and keeps the other cluster")
	case o != nil:
		c.Fail(cmp.Or(o.state, c.State), o.reason, o.fix)
	case asking != nil:
		c.Fail(providers.StateUnknown, asking.Error(), cmp.Or(fault.HintOf(asking), fmt.Sprintf("lab flavors shows whether %s is usable", r.Flavor)))
	case live != nil && !mine:
		unknown := RefOf(r).Check(*live)
		c.Fail(providers.StateUnknown, unknown.Error(), fault.HintOf(unknown))
	case mine:
		assessLive(&c, r, *live, busy)
	}
	return c, mine
}

// assessLive completes the state that the tool of a cluster reports.
func assessLive(c *output.Cluster, r state.Record, live providers.Cluster, busy bool) {
	gone := providers.Gone(r.Parts, live.Parts)
	switch {
	case busy && (r.NotReady || live.State == providers.StateCreating):
		c.Fail(providers.StateCreating, "", "wait until the other lab process ends: lab up "+r.Name)
	case live.Bare:
		c.Fail(providers.StateDegraded, cmp.Or(live.Reason, "another program removed its contents"), fmt.Sprintf("lab up %s recreates it; lab down %s deletes the rest", r.Name, r.Name))
	case len(gone) > 0:
		c.Fail(providers.StateDegraded, goneText(gone), goneFix(r, gone))
	case live.State == providers.StateCreating: // its creation is complete
		c.Fail(providers.StateDegraded, cmp.Or(live.Reason, "its API server does not answer"), "lab start "+r.Name)
	case live.State == providers.StateUnknown:
		c.Hint = fmt.Sprintf("repair it: lab start %s; or recreate it, and lose its contents: lab up %s --recreate", r.Name, r.Name)
	case live.State != providers.StateRunning:
		c.Hint = "lab start " + r.Name
	}
}

// LookInto completes the view of a running cluster with the answers of its API server. h has the
// listing. If ctx ends first, LookInto does not change c.
func (i *Inventory) LookInto(ctx context.Context, h *Handle, c *output.Cluster) {
	if c.State != providers.StateRunning {
		return
	}
	r := h.Record
	config, err := h.Kubeconfig(ctx)
	var report probe.Report
	if err == nil {
		report, err = i.Probe.Look(ctx, config, wanted(r, *h.live, WaitAll))
	}
	switch gone := (*probe.NodesGone)(nil); {
	case ctx.Err() != nil:
		return
	case err != nil:
		c.Fail(providers.StateDegraded, fmt.Sprintf("its API server does not answer: %v", err), "lab start "+r.Name)
		return
	case errors.As(report.Lacks, &gone):
		c.Fail(providers.StateDegraded, gone.Error(), fault.HintOf(WithRestart(r, gone)))
	case report.Lacks != nil:
		c.Fail(providers.StateDegraded, "waiting for "+report.Lacks.Error(), cmp.Or(fault.HintOf(report.Lacks), "wait until it is ready: lab up "+r.Name))
	}
	c.Nodes, c.Missing = report.Nodes, report.Absent
}

// Look returns the state of a cluster and its nodes, and whether the cluster of that name is the
// recorded one. busy is whether another lab process works on it: the process that holds the lock
// passes false. It returns only the error of ctx.
func (i *Inventory) Look(ctx context.Context, h *Handle, busy bool) (c output.Cluster, mine bool, err error) {
	found := providers.Found{Cluster: h.live}
	if h.live == nil {
		all, _ := i.Set.Lookup(ctx, h.Ref()) // its error is in all, too
		found = all[0]
	}
	c, mine = i.Assess(h.Record, found, busy)
	if !mine {
		return c, false, nil
	}
	h.live = found.Cluster
	i.LookInto(ctx, h, &c)
	return c, true, ctx.Err()
}

// GoneError returns the error of a cluster with missing parts.
func GoneError(r state.Record, gone []providers.Part) error {
	return fault.WithHint(fmt.Errorf("cluster %q is incomplete: %s", r.Name, goneText(gone)), "%s", goneFix(r, gone))
}

func goneText(gone []providers.Part) string {
	if len(gone) == 1 {
		return gone[0].String() + " is gone: another program removed it"
	}
	names := make([]string, len(gone))
	for n, p := range gone {
		names[n] = p.String()
	}
	return strings.Join(names, ", ") + " are gone: another program removed them"
}

// goneFix returns the command that restores missing parts.
func goneFix(r state.Record, gone []providers.Part) string {
	if Repairable(gone) {
		return "lab start " + r.Name
	}
	return fmt.Sprintf("recreate the cluster, and lose its contents: lab up %s --recreate", r.Name)
}

// Repairable reports whether a start recreates all of the parts.
func Repairable(gone []providers.Part) bool {
	return !slices.ContainsFunc(gone, func(p providers.Part) bool { return !p.Repair })
}

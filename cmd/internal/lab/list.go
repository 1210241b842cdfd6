package lab

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// ErrUnreadable is the kind of problems that hide which clusters exist.
var ErrUnreadable = state.ErrUnreadable

// looksInList bounds how long List looks into one cluster. After that, List shows the state
// that the tool reports.
const looksInList = 5 * time.Second

// List returns the clusters that lab made and, where all is true, those of the
// same tools that it did not make. Clusters of a tool that cannot be asked are
// there too, as unknown. problems says what could not be read; the list is whole
// but for that. Where the state directory cannot be read at all there is no list, and
// problems Is ErrUnreadable.
//
// It looks into clusters that run, at their nodes and DNS, as Status does, so that both say
// the same; of addons it tells what was seen last.
func (l *Lab) List(ctx context.Context, all bool) (list ClusterList, problems error) {
	list = ClusterList{Meta: Meta{APIVersion, "ClusterList"}, Items: []Cluster{}}
	records, problems := l.State.List()
	if errors.Is(problems, ErrUnreadable) {
		return list, problems
	}
	var refs []providers.Ref
	var strange []error
	for _, r := range records {
		strange = append(strange, l.hasFlavor(r))
		refs = append(refs, refOf(r))
	}
	found, err := l.Set.Lookup(ctx, refs...)
	list.Items = append(list.Items, make([]Cluster, len(records))...)
	var looks sync.WaitGroup
	for i, r := range records {
		c, mine := l.settle(r, found[i].Cluster, cmp.Or(l.hasFlavor(r), found[i].Err), l.State.Busy(r.Name))
		list.Items[i] = c
		if !mine {
			continue
		}
		looks.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, looksInList)
			defer cancel()
			l.lookInto(ctx, &handle{lab: l, record: r, live: found[i].Cluster}, &list.Items[i])
			list.Items[i].Nodes = nil
			list.Items[i].recallAddons(r)
		})
	}
	looks.Wait()
	list.Items = append(list.Items, unusable(problems)...)
	var others error
	if all {
		var live []providers.Cluster
		live, others = l.Set.List(ctx)
		for _, c := range live {
			mine := func(r providers.Ref) bool { return r.Provider == c.Provider && r.Name == c.Name && r.Is(c) }
			if !slices.ContainsFunc(refs, mine) {
				list.Items = append(list.Items, foreignView(c))
			}
		}
	}
	tools := append(causes(err), causes(others)...)
	problems = errors.Join(slices.Concat(strange, causes(problems), concerning(records, tools))...)
	return list, problems
}

// unusable returns the clusters whose records cannot be used. They may exist, so a list without
// them would not be true.
func unusable(problems error) []Cluster {
	var all []Cluster
	for _, err := range causes(problems) {
		if bad, ok := errors.AsType[*state.RecordError](err); ok {
			c := foreignView(providers.Cluster{Name: bad.Name})
			c.Managed = true
			c.fail(providers.StateUnknown, err.Error(), fault.HintOf(err))
			all = append(all, c)
		}
	}
	return all
}

// settle decides what state a recorded cluster is in by what lab remembers and its tool says,
// and whether live, the cluster of that name, is it. asking is why the tool could not be asked,
// if it could not; ErrInvalid is that of a flavor that this lab does not have. busy is whether
// another lab process works on the cluster.
func (l *Lab) settle(r state.Record, live *providers.Cluster, asking error, busy bool) (c Cluster, mine bool) {
	owner := providers.OwnerUnknown
	if live != nil {
		owner = refOf(r).Owner(*live)
	}
	mine = owner == providers.OwnerLab
	if mine {
		c = view(r, *live)
	} else {
		c = view(r, providers.Cluster{State: providers.StateUnknown})
		c.fail(providers.StateUnknown, "it is gone: another program removed it", fmt.Sprintf("lab down %s forgets it; lab up %s recreates it", r.Name, r.Name))
	}
	o := l.obstacleOf(r, busy)
	switch {
	case errors.Is(asking, fault.ErrInvalid): // and nothing that follows can be done by this lab
		c.fail(providers.StateUnknown, asking.Error(), fault.HintOf(asking))
	case o != nil && busy && r.Phase != state.PhaseCreated:
		c.fail(o.state, "", o.fix)
	case owner == providers.OwnerForeign:
		c.fail(providers.StateUnknown, "another cluster has taken its name", "lab down "+r.Name+" forgets this one, and leaves the other alone")
	case o != nil:
		c.fail(cmp.Or(o.state, c.State), o.reason, o.fix)
	case asking != nil:
		c.fail(providers.StateUnknown, asking.Error(), cmp.Or(fault.HintOf(asking), fmt.Sprintf("lab flavors says whether %s can be used", r.Flavor)))
	case live != nil && !mine:
		unknown := refOf(r).Check(*live)
		c.fail(providers.StateUnknown, unknown.Error(), fault.HintOf(unknown))
	case mine:
		c.assess(r, *live, busy)
	}
	return c, mine
}

// assess completes what the tool says of a cluster with what lab knows of it.
func (c *Cluster) assess(r state.Record, live providers.Cluster, busy bool) {
	gone := providers.Gone(r.Parts, live.Parts)
	switch {
	case busy && (r.NotReady || live.State == providers.StateCreating):
		c.fail(providers.StateCreating, "", "wait until the other lab process is done: lab up "+r.Name)
	case len(gone) > 0:
		c.fail(providers.StateDegraded, goneText(gone), goneFix(r, gone))
	case live.State == providers.StateCreating: // it was created, so nothing is created any more
		c.fail(providers.StateDegraded, cmp.Or(live.Reason, "its API server does not answer"), "lab start "+r.Name)
	case live.State == providers.StateUnknown:
		c.Hint = fmt.Sprintf("lab flavors says whether %s can be used", r.Flavor)
	case live.State != providers.StateRunning:
		c.Hint = "lab start " + r.Name
	}
}

// concerning leaves out of the errors of the tools, which [providers.Set.Lookup] and
// [providers.Set.List] join, those of tools that cannot be used here, where lab made nothing
// with them. It also leaves out errors of flavors that this lab does not have, which are shown
// with their clusters, and duplicates.
func concerning(records []state.Record, errs []error) []error {
	var left []error
	for _, err := range errs {
		var e *providers.Error
		used := func(r state.Record) bool { return e != nil && r.Flavor == e.Provider }
		twice := func(other error) bool { return other.Error() == err.Error() }
		switch {
		case errors.As(err, &e) && errors.Is(err, fault.ErrUnavailable) && !slices.ContainsFunc(records, used):
		case errors.Is(err, fault.ErrInvalid), slices.ContainsFunc(left, twice):
		default:
			left = append(left, err)
		}
	}
	return left
}

// causes returns the errors that err joins, so that each is told by itself.
func causes(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

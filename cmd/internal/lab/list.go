package lab

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
)

// List returns the clusters that lab made and, where all is true, those of the
// same tools that it did not make. Clusters of a tool that cannot be asked are
// there too, as unknown. problems says what could not be read; the list is whole
// but for that.
func (l *Lab) List(ctx context.Context, all bool) (list ClusterList, problems error) {
	list = ClusterList{Meta: Meta{APIVersion, "ClusterList"}, Items: []Cluster{}}
	records, problems := l.State.List()
	var refs []providers.Ref
	var strange []error
	for _, r := range records {
		strange = append(strange, l.hasFlavor(r))
		refs = append(refs, refOf(r))
	}
	found, err := l.Set.Lookup(ctx, refs...)
	for i, r := range records {
		c, _ := l.settle(r, found[i].Cluster, cmp.Or(l.hasFlavor(r), found[i].Err))
		list.Items = append(list.Items, c)
	}
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
	problems = errors.Join(append(strange, problems, concerning(records, err, others))...)
	return list, problems
}

// settle decides what state a recorded cluster is in, and whether live, the cluster
// of that name, is it. asking is why the tool could not be asked, if it could not; ErrInvalid
// is that of a flavor that this lab does not have.
func (l *Lab) settle(r state.Record, live *providers.Cluster, asking error) (c Cluster, mine bool) {
	owner := providers.OwnerUnknown
	if live != nil {
		owner = refOf(r).Owner(*live)
	}
	mine = owner == providers.OwnerLab
	if mine {
		c = view(r, *live)
	} else {
		c = view(r, providers.Cluster{State: providers.StateUnknown})
		c.Reason = "it is gone: something else removed it (lab down " + r.Name + " forgets it)"
	}
	switch {
	case errors.Is(asking, providers.ErrInvalid): // and nothing that follows can be done by this lab
		c.State, c.Reason = providers.StateUnknown, asking.Error()
	case l.State.Busy(r.Name) && r.Phase == state.PhaseCreating:
		c.State, c.Reason = providers.StateCreating, ""
	case l.State.Busy(r.Name) && r.Phase == state.PhaseDeleting:
		c.State, c.Reason = providers.StateDeleting, ""
	case owner == providers.OwnerForeign:
		c.Reason = "another cluster has taken its name (lab down " + r.Name + " forgets this one)"
	case r.Phase == state.PhaseCreating:
		c.State, c.Reason = providers.StateDegraded, "its creation was interrupted (lab up "+r.Name+" makes it anew)"
	case r.Phase == state.PhaseDeleting:
		c.State, c.Reason = providers.StateDegraded, "its removal was interrupted (lab down "+r.Name+" ends it)"
	case asking != nil:
		c.State, c.Reason = providers.StateUnknown, asking.Error()
	case live != nil && !mine:
		c.Reason = refOf(r).Check(*live).Error()
	}
	return c, mine
}

// concerning leaves out of the errors of the tools, which [providers.Set.Lookup] and
// [providers.Set.List] join, those of tools that cannot be used here, where lab made nothing
// with them: nobody misses what they do not have. It also leaves out those of flavors that
// this lab does not have, each of which is told with its cluster, and what is there twice.
func concerning(records []state.Record, errs ...error) error {
	var left []error
	for _, err := range errs {
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok {
			continue // nil
		}
		for _, err := range joined.Unwrap() {
			var e *providers.Error
			used := func(r state.Record) bool { return e != nil && r.Flavor == e.Provider }
			twice := func(other error) bool { return other.Error() == err.Error() }
			switch {
			case errors.As(err, &e) && errors.Is(err, providers.ErrUnavailable) && !slices.ContainsFunc(records, used):
			case errors.Is(err, providers.ErrInvalid), slices.ContainsFunc(left, twice):
			default:
				left = append(left, err)
			}
		}
	}
	return errors.Join(left...)
}

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
	// Asking a tool takes time, so only those are asked whose answer is needed.
	var flavors []string
	var strange []error
	for _, r := range records {
		if err := l.hasFlavor(r); err != nil {
			strange = append(strange, err)
			continue
		}
		flavors = append(flavors, r.Flavor)
	}
	if all {
		flavors = append(flavors, l.Set.Names()...)
	}
	var live []providers.Cluster
	var err error
	if len(flavors) > 0 {
		live, err = l.Set.List(ctx, flavors...)
	}
	problems = errors.Join(append(strange, problems, concerning(err, records))...)
	for _, r := range records {
		i := slices.IndexFunc(live, func(c providers.Cluster) bool { return c.Provider == r.Flavor && c.Name == r.Name })
		var found *providers.Cluster
		if i >= 0 {
			found = &live[i]
		}
		c, mine := l.settle(r, found, cmp.Or(l.hasFlavor(r), unasked(err, r.Flavor)))
		list.Items = append(list.Items, c)
		if mine {
			live = slices.Delete(live, i, i+1)
		}
	}
	if all {
		for _, c := range live {
			list.Items = append(list.Items, foreignView(c))
		}
	}
	return list, problems
}

// settle decides what state a recorded cluster is in, and whether live, the cluster
// of that name, is it. asking is why the tool could not be asked, if it could not; ErrInvalid
// is that of a flavor that this lab does not have.
func (l *Lab) settle(r state.Record, live *providers.Cluster, asking error) (c Cluster, mine bool) {
	mine = live != nil && refOf(r).Is(*live)
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
	case live != nil && !mine:
		c.Reason = "another cluster has taken its name (lab down " + r.Name + " forgets this one)"
	case r.Phase == state.PhaseCreating:
		c.State, c.Reason = providers.StateDegraded, "its creation was interrupted (lab up "+r.Name+" makes it anew)"
	case r.Phase == state.PhaseDeleting:
		c.State, c.Reason = providers.StateDegraded, "its removal was interrupted (lab down "+r.Name+" ends it)"
	case asking != nil:
		c.State, c.Reason = providers.StateUnknown, asking.Error()
	}
	return c, mine
}

// concerning leaves out of the errors of [providers.Set.List] those of tools that cannot
// be used here, where lab made nothing with them: nobody misses what they do not have.
func concerning(err error, records []state.Record) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var left []error
	for _, err := range joined.Unwrap() {
		var e *providers.Error
		used := func(r state.Record) bool { return e != nil && r.Flavor == e.Provider }
		if errors.As(err, &e) && errors.Is(err, providers.ErrUnavailable) && !slices.ContainsFunc(records, used) {
			continue
		}
		left = append(left, err)
	}
	return errors.Join(left...)
}

// unasked returns the error of a flavor among those that [providers.Set.List]
// joined, or nil.
func unasked(err error, flavor string) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, err := range joined.Unwrap() {
		var e *providers.Error
		if errors.As(err, &e) && e.Provider == flavor {
			return err
		}
	}
	return nil
}

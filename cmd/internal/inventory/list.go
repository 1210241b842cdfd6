package inventory

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// ErrUnreadable is the kind of problems that hide which clusters exist.
var ErrUnreadable = state.ErrUnreadable

// looksInList limits how long List waits for one API server. After that, List shows the state that
// the tool reports.
const looksInList = 5 * time.Second

// List returns the managed clusters and, if all is true, the clusters of the same tools that are not
// managed by lab. A cluster is listed as unknown if its tool cannot be asked. problems says what
// could not be read; apart from that, the list is complete. If the state directory cannot be read,
// the list is empty, and problems is ErrUnreadable.
//
// List asks API servers for nodes and DNS, as a status does, so that both show the same. Of addons
// it shows the states that were last recorded.
func (i *Inventory) List(ctx context.Context, all bool) (list output.ClusterList, problems error) {
	list = output.ClusterList{Meta: output.NewMeta("ClusterList"), Items: []output.Cluster{}}
	records, problems := i.State.List()
	if errors.Is(problems, ErrUnreadable) {
		return list, problems
	}
	refs := make([]providers.Ref, len(records))
	for n, r := range records {
		refs[n] = RefOf(r)
	}
	found, asking := i.Set.Lookup(ctx, refs...)
	list.Items = append(list.Items, i.views(ctx, records, found)...)
	list.Items = append(list.Items, unusable(problems)...)
	var unmanaged error
	if all {
		var others []output.Cluster
		others, unmanaged = i.unmanagedBeside(ctx, refs)
		list.Items = append(list.Items, others...)
	}
	var unknown []error
	for _, r := range records {
		unknown = append(unknown, i.HasFlavor(r))
	}
	tools := append(causes(asking), causes(unmanaged)...)
	return list, errors.Join(slices.Concat(unknown, causes(problems), concerning(records, tools))...)
}

// views returns the clusters of records. found is what their tools reported.
func (i *Inventory) views(ctx context.Context, records []state.Record, found []providers.Found) []output.Cluster {
	all := make([]output.Cluster, len(records))
	var looks sync.WaitGroup
	for n, r := range records {
		found[n].Err = cmp.Or(i.HasFlavor(r), found[n].Err)
		c, mine := i.Assess(r, found[n], i.State.Busy(r.Name))
		all[n] = c
		if !mine {
			continue
		}
		looks.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, looksInList)
			defer cancel()
			i.LookInto(ctx, &Handle{inventory: i, Record: r, live: found[n].Cluster}, &all[n])
			all[n].Nodes = nil
			recallAddons(&all[n], r)
		})
	}
	looks.Wait()
	return all
}

// recallAddons shows the recorded states of the addons of a running cluster.
func recallAddons(c *output.Cluster, r state.Record) {
	if c.State != providers.StateRunning {
		return
	}
	for n, a := range c.Addons {
		if a.State == "" { // else the record itself says the state
			c.Addons[n].State, c.Addons[n].Reason = r.AddonStates[a.Name].State, r.AddonStates[a.Name].Reason
		}
	}
	c.JudgeAddons()
}

// unusable returns the clusters whose records cannot be used. They may exist, so the list has them.
func unusable(problems error) []output.Cluster {
	var all []output.Cluster
	for _, err := range causes(problems) {
		if bad, ok := errors.AsType[*state.RecordError](err); ok {
			c := output.Unmanaged(providers.Cluster{Name: bad.Name})
			c.Managed = true
			c.Fail(providers.StateUnknown, err.Error(), fault.HintOf(err))
			all = append(all, c)
		}
	}
	return all
}

// unmanagedBeside returns the clusters of all tools that none of refs identifies.
func (i *Inventory) unmanagedBeside(ctx context.Context, refs []providers.Ref) ([]output.Cluster, error) {
	live, err := i.Set.List(ctx)
	var all []output.Cluster
	for _, c := range live {
		mine := func(r providers.Ref) bool { return r.Provider == c.Provider && r.Name == c.Name && r.Is(c) }
		if !slices.ContainsFunc(refs, mine) {
			all = append(all, output.Unmanaged(c))
		}
	}
	return all, err
}

// concerning removes from the errors of tools those that do not concern a managed cluster: of
// unavailable tools that no record names, and of unknown flavors, which are shown with their
// clusters. It also removes duplicates.
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

// causes returns the errors that err joins, so that each is judged alone.
func causes(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

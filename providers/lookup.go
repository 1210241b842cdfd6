package providers

import (
	"context"
	"errors"
	"sync"
)

// Found is what [Set.Lookup] learned of one cluster.
type Found struct {
	Cluster *Cluster // the cluster of that name, of any owner; nil if none exists
	Err     error    // why its tool or its engine cannot be asked
}

// Lookup looks for clusters in the lists of their tools, on the engines that they were created
// on, and asks each engine once. The result has an entry for each of refs, in their order. errs
// joins the errors of all engines that could not be asked, each an [Error].
func (s *Set) Lookup(ctx context.Context, refs ...Ref) (found []Found, errs error) {
	type place struct {
		flavor string
		engine Engine
	}
	groups := map[place][]int{}
	var places []place // in order, so that errors are
	for i, ref := range refs {
		at := place{ref.Provider, ref.Engine}
		if groups[at] == nil {
			places = append(places, at)
		}
		groups[at] = append(groups[at], i)
	}
	found = make([]Found, len(refs))
	var all sync.WaitGroup
	for _, at := range places {
		all.Go(func() {
			some := make([]Ref, 0, len(groups[at]))
			for _, i := range groups[at] {
				some = append(some, refs[i])
			}
			for n, f := range s.lookup(ctx, at.flavor, at.engine, some) {
				found[groups[at][n]] = f
			}
		})
	}
	all.Wait()
	var failures []error
	for _, at := range places {
		for _, i := range groups[at] {
			if found[i].Err != nil {
				failures = append(failures, found[i].Err)
				break
			}
		}
	}
	return found, errors.Join(failures...)
}

// lookup looks for clusters of one tool on one engine. If a cluster is missing or its name
// belongs to another one, it checks that the engine is the recorded one: another engine may use
// its address by now.
func (s *Set) lookup(ctx context.Context, flavor string, engine Engine, refs []Ref) []Found {
	p, err := s.Get(flavor)
	if err != nil {
		return failed(refs, &Error{Op: "list", Provider: flavor, Err: err})
	}
	found := lookup(ctx, p, engine, refs)
	for i := range found {
		found[i].Err = wrap("list", p, "", found[i].Err)
	}
	return found
}

// lookup looks for clusters of one tool on one engine. Where one is missing or another
// has its name, the engine must be the one that was recorded: at its address there may be
// another engine by now.
func lookup(ctx context.Context, p Provider, engine Engine, refs []Ref) []Found {
	all, err := listOn(ctx, p, engine)
	if err != nil {
		return failed(refs, err)
	}
	found := make([]Found, len(refs))
	var engineErr error // determined once
	asked := false
	for i, ref := range refs {
		for n := range all {
			if all[n].Name == ref.Name {
				found[i].Cluster = &all[n]
			}
		}
		if found[i].Cluster != nil && ref.Is(*found[i].Cluster) || !isBound(ref) {
			continue
		}
		if !asked {
			engineErr, asked = checkEngine(ctx, p, ref), true
		}
		if engineErr != nil {
			found[i] = Found{Err: engineErr}
		}
	}
	return found
}

func listOn(ctx context.Context, p Provider, engine Engine) ([]Cluster, error) {
	if u, ok := p.(EngineUser); ok && !engine.IsZero() {
		return u.ListOn(ctx, engine)
	}
	return p.List(ctx)
}

// checkEngine returns ErrUnavailable if a cluster that was not found may be on another engine
// than the one that answered.
func checkEngine(ctx context.Context, p Provider, ref Ref) error {
	if u, ok := p.(EngineUser); ok && isBound(ref) {
		return u.CheckEngine(ctx, ref.Engine)
	}
	return nil
}

// isBound reports whether a cluster was certainly on some engine, recorded or not. A creation
// that was interrupted early, by a lab that recorded no engine, may have used none.
func isBound(ref Ref) bool { return ref.ID != "" || !ref.Engine.IsZero() }

func failed(refs []Ref, err error) []Found {
	found := make([]Found, len(refs))
	for i := range found {
		found[i].Err = err
	}
	return found
}

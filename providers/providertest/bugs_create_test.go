package providertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// create is the signature of Provider.Create.
type create = func(context.Context, providers.Spec, event.Reporter) error

// onCreate seeds a bug in Create: spoil gets the fake's Create and returns a faulty one.
func onCreate(spoil func(m *mutant, good create) create) func(*mutant) {
	return func(m *mutant) { m.create = spoil(m, m.fake.Create) }
}

// onCreateError seeds a bug that turns the error of Create into another.
func onCreateError(spoil func(m *mutant, name string, err error) error) func(*mutant) {
	return onCreate(func(m *mutant, good create) create {
		return func(ctx context.Context, s providers.Spec, r event.Reporter) error {
			return spoil(m, s.Name, good(ctx, s, r))
		}
	})
}

// onReport seeds a bug that keeps some events from the Reporter.
func onReport(keep func(event.Event) bool) func(*mutant) {
	filter := func(r event.Reporter) event.Reporter {
		return func(e event.Event) {
			if r != nil && keep(e) {
				r(e)
			}
		}
	}
	return func(m *mutant) {
		m.create = func(ctx context.Context, s providers.Spec, r event.Reporter) error {
			return m.fake.Create(ctx, s, filter(r))
		}
		m.start = func(ctx context.Context, ref providers.Ref, r event.Reporter) error {
			return m.fake.Start(ctx, ref, filter(r))
		}
	}
}

// onEach seeds a bug in the clusters that List returns.
func onEach(spoil func(*mutant, *providers.Cluster)) func(*mutant) {
	return func(m *mutant) {
		m.list = func(ctx context.Context) ([]providers.Cluster, error) {
			all, err := m.fake.List(ctx)
			for i := range all {
				spoil(m, &all[i])
			}
			return all, err
		}
	}
}

// bugsOfNew returns bugs in the creation of a cluster.
func bugsOfNew() map[string]bug {
	return map[string]bug{
		"corrects an invalid spec": {onCreate(func(m *mutant, good create) create {
			return func(ctx context.Context, s providers.Spec, r event.Reporter) error {
				s.Workers = max(s.Workers, 0)
				return good(ctx, s, r)
			}
		}), "a refused spec/with less than no workers is invalid"},
		"ignores what it cannot do": {onCreate(func(m *mutant, good create) create {
			return func(ctx context.Context, s providers.Spec, r event.Reporter) error {
				s.Driver = ""
				return good(ctx, s, r)
			}
		}), "a refused spec/with a driver is not supported"},
		"refuses too late": {onCreateError(func(m *mutant, name string, err error) error {
			if errors.Is(err, fault.ErrUnsupported) {
				return errors.Join(err, m.fake.machine.HalfMade(providers.Spec{Name: name}))
			}
			return err
		}), "a refused spec/with a driver is not supported"},
		"reports nothing": {onReport(func(event.Event) bool { return false }),
			"a cluster/when new/was reported step by step"},
		"never ends a step": {onReport(func(e event.Event) bool { return e.State == event.Started }),
			"a cluster/when new/had every step end once"},
		"never starts a step": {onReport(func(e event.Event) bool { return e.State != event.Started }),
			"a cluster/once started again/had every step end once"},
		"returns before the API server answers": {onCreateError(func(m *mutant, _ string, err error) error {
			return cmp.Or(err, m.fake.machine.SetFaults(Faults{NotReady: true}))
		}), "a cluster/when new/answers"},
		"creates it twice": {onCreateError(func(_ *mutant, _ string, err error) error {
			if errors.Is(err, fault.ErrExists) {
				return nil
			}
			return err
		}), "a cluster/created again/exists already"},
		"replaces the one that exists": {onCreateError(func(m *mutant, name string, err error) error {
			if errors.Is(err, fault.ErrExists) {
				return errors.Join(err, m.fake.machine.Remake(name))
			}
			return err
		}), "a cluster/created again/is unchanged"},
	}
}

// bugsOfList returns bugs in List.
func bugsOfList() map[string]bug {
	return map[string]bug{
		"forgets whose cluster it is": {onEach(func(_ *mutant, c *providers.Cluster) { c.Provider = "" }),
			"a cluster/when new/is listed as running"},
		"does not know the state": {onEach(func(_ *mutant, c *providers.Cluster) { c.State = providers.StateUnknown }),
			"a cluster/when new/is listed as running"},
		"loses the mark": {onEach(func(_ *mutant, c *providers.Cluster) { c.Mark = "" }),
			"a cluster/when new/bears its mark"},
		"has no IDs": {onEach(func(_ *mutant, c *providers.Cluster) { c.ID = "" }),
			"a cluster/when new/has an ID that stays"},
		"changes the ID on list": {func(m *mutant) {
			var calls atomic.Int64
			onEach(func(_ *mutant, c *providers.Cluster) { c.ID += fmt.Sprint(calls.Add(1)) })(m)
		}, "a cluster/when new/has an ID that stays"},
		"lists only what it made itself": {func(m *mutant) {
			made := make(chan string, 100)
			onCreateError(func(_ *mutant, name string, err error) error {
				made <- name
				return err
			})(m)
			var own []string
			m.list = func(ctx context.Context) ([]providers.Cluster, error) {
				for len(made) > 0 {
					own = append(own, <-made)
				}
				all, err := m.fake.List(ctx)
				foreign := func(c providers.Cluster) bool { return !slices.Contains(own, c.Name) }
				return slices.DeleteFunc(all, foreign), err
			}
		}, "a cluster/when new/is seen by another process"},
	}
}

// bugsOfCancel returns bugs in a Create that fails or is interrupted.
func bugsOfCancel() map[string]bug {
	interrupted := func(err error) bool {
		return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	}
	return map[string]bug{
		"ignores its context": {onCreate(func(_ *mutant, good create) create {
			return func(ctx context.Context, s providers.Spec, r event.Reporter) error {
				return good(context.WithoutCancel(ctx), s, r)
			}
		}), "a cancelled create/before it starts leaves nothing"},
		"leaves its directory on cancel": {onCreateError(func(m *mutant, name string, err error) error {
			if interrupted(err) {
				return errors.Join(err, m.fake.machine.HalfMade(providers.Spec{Name: name}))
			}
			return err
		}), "a cancelled create/in step 2 leaves nothing"},
		"hides that it was cancelled": {onCreateError(func(_ *mutant, _ string, err error) error {
			if interrupted(err) {
				return errors.New("create failed: signal: killed")
			}
			return err
		}), "a cancelled create/in step 3 leaves nothing"},
		"takes a deadline for a cancel": {onCreateError(func(_ *mutant, _ string, err error) error {
			if errors.Is(err, context.DeadlineExceeded) {
				return context.Canceled
			}
			return err
		}), "a cancelled create/by its deadline leaves nothing"},
		"leaves a goroutine on cancel": {onCreateError(func(_ *mutant, _ string, err error) error {
			if interrupted(err) {
				go func() { <-make(chan struct{}) }()
			}
			return err
		}), "a cancelled create/leaves no goroutine"},
		"leaves its directory on failure": {onCreateError(func(m *mutant, name string, err error) error {
			if err != nil && !interrupted(err) && !errors.Is(err, fault.ErrExists) {
				return errors.Join(err, m.fake.machine.HalfMade(providers.Spec{Name: name}))
			}
			return err
		}), "a failed create/because of a step that fails leaves nothing"},
		"succeeds whatever happens": {onCreateError(func(*mutant, string, error) error { return nil }),
			"a failed create/because of a step that fails leaves nothing"},
	}
}

package clusteraddons

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Target is what is known of a cluster before its creation.
type Target struct {
	Traits     providers.Traits
	Kubernetes func() string // returns the version of Kubernetes, or "" if it is unknown
}

// Validate returns the errors of a request that do not depend on a cluster: unknown addons, and
// charts on this machine that cannot be installed with the values.
func (s *Addons) Validate(ctx context.Context, q Request, target Target, charts bool) error {
	catalog, err := s.Catalog()
	if err != nil {
		return err
	}
	plan, err := requests(catalog, state.Record{}, q)
	if err != nil || !charts {
		return err
	}
	return s.ReadCharts(ctx, plan, target, false)
}

// ReadCharts reads the charts in files of this machine, and with cached also those that were downloaded before, so that
// errors in them or in their values are found before anything is created. It does not use the network.
func (s *Addons) ReadCharts(ctx context.Context, plan addons.Requests, target Target, cached bool) error {
	read := slices.DeleteFunc(slices.Clone(plan), func(r addons.Request) bool {
		return r.Addon.Chart.Builtin != "" || r.Addon.Chart.Path == "" && !cached
	})
	if len(read) == 0 {
		return nil
	}
	target.Kubernetes = sync.OnceValue(target.Kubernetes)
	return concurrently(read, func(r addons.Request) error {
		err := s.checkChart(ctx, r, target, Request{Offline: true})
		if r.Addon.Chart.Path == "" && errors.Is(err, fault.ErrUnavailable) {
			return nil // it is not cached
		}
		return err
	})
}

// checkChart returns the errors of an addon that are known before its cluster exists. It downloads the chart if q permits
// that and the chart is not cached.
func (s *Addons) checkChart(ctx context.Context, r addons.Request, target Target, q Request) error {
	releases, err := s.releases(ctx, addons.Cluster{Traits: target.Traits}, addons.Requests{r}, q, failed)
	if err != nil {
		return err
	}
	if err := s.Tools.Installer.Check(releases[r.Addon.Name], target.Kubernetes()); err != nil {
		return failed(err, r.Addon.Name)
	}
	return nil
}

// Prefetch starts to download the charts of a plan into the cache, and to check them, while the cluster is created. The
// installation takes them from there. The context that it returns ends if a chart cannot be installed in the cluster;
// its cause is the error then. finish waits for the downloads or, if the creation failed, ends them, and returns that
// error or nil. The installation downloads again what failed, and returns the error.
func (s *Addons) Prefetch(ctx context.Context, plan Plan, target Target) (creation context.Context, finish func(failed error) error) {
	creation, cancel := context.WithCancelCause(ctx)
	ctx, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	target.Kubernetes = sync.OnceValue(target.Kubernetes)
	go func() {
		done <- concurrently(plan.Requests, func(r addons.Request) error {
			err := s.checkChart(ctx, r, target, plan.request)
			if !errors.Is(err, fault.ErrInvalid) {
				return nil
			}
			cancel(err)
			return err
		})
	}()
	return creation, func(failed error) error {
		if failed != nil {
			stop()
		}
		err := <-done
		stop()
		cancel(nil)
		return err
	}
}

// CheckCached returns ErrUnavailable if the charts of a plan are not all on this machine.
func (s *Addons) CheckCached(ctx context.Context, p Plan) error {
	source := s.Tools.Source(true, p.request.CA)
	return concurrently(p.Requests, func(r addons.Request) error {
		_, err := source.Chart(ctx, r.Addon.Chart)
		if err == nil {
			return nil
		}
		return fault.WithHint(fmt.Errorf("addon %s: %w", r.Addon.Name, err),
			"import a bundle that has it: lab bundle import FILE; or omit --offline, if the machine has a network")
	})
}

package kwok

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Start starts the engine of a cluster that was stopped, died, or whose creation was interrupted. On an
// error, the cluster is stopped and keeps its data.
func (p *Provider) Start(ctx context.Context, ref providers.Ref, report event.Reporter) error {
	dir, err := p.find(ref)
	if err != nil {
		return err
	}
	if running, err := p.settle(ctx, ref.Name); running || err != nil {
		return err
	}
	engine, err := p.findEngine()
	if err != nil {
		return err
	}
	return boot(ctx, engine, dir, p.grace, report.For(ref.Name))
}

// settle waits until the engine of a cluster answers or ends, because another lab process may just have
// started it. It stops an engine that does neither, and reports whether the cluster runs.
func (p *Provider) settle(ctx context.Context, name string) (running bool, err error) {
	err = poll(ctx, p.patience, func() (bool, error) {
		pid, err := holder(p.dir(name))
		if err != nil || pid == 0 {
			return true, err
		}
		running = p.inspect(ctx, name).State == providers.StateRunning
		return running, nil
	})
	if errors.Is(err, errTooSlow) {
		err = end(ctx, p.dir(name), p.grace)
	}
	return running, err
}

// Stop shuts the engine down, or kills it after the grace period, and keeps the cluster. A cluster whose
// engine had died is stopped afterwards, too.
func (p *Provider) Stop(ctx context.Context, ref providers.Ref) error {
	dir, err := p.find(ref)
	if err != nil {
		return err
	}
	if err := end(ctx, dir, p.grace); err != nil {
		return err
	}
	return unrecorded(dir, markStopped(dir))
}

// unrecorded returns the error of a stop whose engine has ended, with what to do on a full disk.
func unrecorded(dir string, err error) error {
	if errors.Is(err, syscall.ENOSPC) {
		return fault.WithHint(fmt.Errorf("lab-engine has ended, but lab cannot record that: %w", err), "%s", remedy(err, dir))
	}
	return err
}

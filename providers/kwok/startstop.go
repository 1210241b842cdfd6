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

// Start runs the engine of a cluster that was stopped, that died, or whose
// creation was interrupted. On error it leaves the cluster stopped, with its data.
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

// settle waits until the engine of a cluster, if there is one, answers or ends:
// another lab may just have started it. One that does neither is stopped.
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

// Stop ends the engine in order, or kills it where that takes too long, and keeps
// the cluster. One whose engine had died is stopped afterwards, too.
func (p *Provider) Stop(ctx context.Context, ref providers.Ref) error {
	dir, err := p.find(ref)
	if err != nil {
		return err
	}
	if err := end(ctx, dir, p.grace); err != nil {
		return err
	}
	err = markStopped(dir)
	if errors.Is(err, syscall.ENOSPC) {
		return fault.WithHint(fmt.Errorf("its engine has ended, but that cannot be recorded: %w", err), "%s", remedy(err, dir))
	}
	return err
}

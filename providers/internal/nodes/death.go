package nodes

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// A creation is given up when a node is found dead looksWhileDead times in a row: most of the
// time the tool notices, too, and reports more.
const (
	looksWhileDead = 2
	lookEvery      = 5 * time.Second
)

// preludes bounds the time before the program of a node starts: k3d's scripts need less than a
// second.
const preludes = 10 * time.Second

// untilDeath returns a context that ends when a node of a cluster has died or was paused, when
// its program has exited, or when the engine does not exist any more; [context.Cause] says
// which. stop must be called.
func (t Tool) untilDeath(ctx context.Context, name string, every time.Duration) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := t.awaitDeath(ctx, name, every); err != nil {
			cancel(err)
		}
	}()
	return ctx, func() { cancel(nil); <-done }
}

// awaitDeath returns an error once a node has died, or nil when ctx ends.
func (t Tool) awaitDeath(ctx context.Context, name string, every time.Duration) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for dead := 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		death := t.death(ctx, name)
		if death == nil {
			dead = 0
			continue
		}
		if dead++; dead == looksWhileDead {
			return death
		}
	}
}

// death returns an error that says which node of a cluster has died and why, or nil if none has
// or that cannot be determined.
func (t Tool) death(ctx context.Context, name string) error {
	nodes, err := t.Find(ctx, name)
	if docker.Gone(err) {
		return err
	}
	for _, n := range nodes {
		if hasEnded(n) {
			return errors.New(WhyNot(n))
		}
		if t.isHollow(ctx, n) {
			return LastWords(ctx, n, t.Program+" exited in node "+n.Name)
		}
	}
	return nil
}

// isHollow reports whether the container of a node runs, but its program does not.
func (t Tool) isHollow(ctx context.Context, n docker.Container) bool {
	if t.Program == "" || !n.Running() || len(t.Workers([]docker.Container{n})) == 0 || time.Since(n.State.StartedAt) < preludes {
		return false
	}
	programs, err := docker.Programs(ctx, n.ID)
	return err == nil && !slices.ContainsFunc(programs, func(p string) bool { return strings.HasPrefix(p, t.Program) })
}

// hasEnded reports whether a node ran and does not run any more.
func hasEnded(n docker.Container) bool {
	return slices.Contains([]string{"exited", "dead", "paused"}, n.State.Status)
}

package nodes

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// A node is given up that was found dead so many times in a row: the tool finds out,
// too, most of the time, and has more to say about it.
const (
	looksWhileDead = 2
	lookEvery      = 5 * time.Second
)

// preludes is more than what runs in a node before its program does takes: k3d's scripts
// need less than a second.
const preludes = 10 * time.Second

// Watch looks at a cluster while a tool makes it. died delivers an error once a node has
// died or was paused, its program has ended, or the engine is gone: the tools go on
// waiting for it, up to their own limits or for ever. stop ends the watch, and must be
// called.
func (t Tool) Watch(ctx context.Context, name string) (died <-chan error, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	death, done := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(done)
		if err := t.awaitDeath(ctx, name, lookEvery); err != nil {
			death <- err
		}
	}()
	return death, func() { cancel(); <-done }
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

// death says of what a cluster has died, and returns nil where it lives or that cannot be
// told.
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

// isHollow tells whether a node runs without the program that makes it one.
func (t Tool) isHollow(ctx context.Context, n docker.Container) bool {
	if t.Program == "" || !n.Running() || len(t.Workers([]docker.Container{n})) == 0 || time.Since(n.State.StartedAt) < preludes {
		return false
	}
	programs, err := docker.Programs(ctx, n.ID)
	return err == nil && !slices.ContainsFunc(programs, func(p string) bool { return strings.HasPrefix(p, t.Program) })
}

// hasEnded tells whether a node ran, and does so no more.
func hasEnded(n docker.Container) bool {
	return slices.Contains([]string{"exited", "dead", "paused"}, n.State.Status)
}

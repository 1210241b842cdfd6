package nodes

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// A node is given up that was found dead so many times in a row: the tool finds out,
// too, most of the time, and has more to say about it.
const (
	looksWhileDead = 2
	lookEvery      = 5 * time.Second
)

// Watch looks at a cluster while a tool makes it. died delivers an error once a node has
// died or was paused: the tools go on waiting for it, up to their own limits or for
// ever. stop ends the watch, and must be called.
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
		nodes, err := t.Find(ctx, name)
		i := slices.IndexFunc(nodes, hasEnded)
		if err != nil || i < 0 {
			dead = 0
			continue
		}
		if dead++; dead == looksWhileDead {
			return errors.New(WhyNot(nodes[i]))
		}
	}
}

// hasEnded tells whether a node ran, and does so no more.
func hasEnded(n docker.Container) bool {
	return slices.Contains([]string{"exited", "dead", "paused"}, n.State.Status)
}

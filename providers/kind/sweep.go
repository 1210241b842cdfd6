package kind

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// sweepWithin bounds the removal of a cluster that could not be finished.
const sweepWithin = time.Minute

// sweep removes the containers of a cluster until kind's Create has returned and none
// can come any more. Of several nodes that are made side by side kind returns with the
// first that fails, while docker still makes the others; and Ctrl-C ends the docker
// command that asked for a node, too, but not the engine that is making it. So it is
// over when all that were planned have been seen, or when none has come for a while.
// surely tells that a single node is there already, or never will be. Containers that do
// not bear ref's mark stay.
func sweep(ctx context.Context, ref providers.Ref, planned int, surely bool, returned <-chan struct{}) error {
	seen := map[string]bool{}
	last := time.Now()
	err := docker.Insist(ctx, 100*time.Millisecond, func() (done bool, _ error) {
		over := false
		select { // before the look, so that the look counts
		case <-returned:
			over = true
		default:
			last = time.Now()
		}
		found, err := containers().Own(ctx, ref)
		if errors.Is(err, fault.ErrNotFound) || errors.Is(err, fault.ErrForeign) {
			found, err = nil, nil
		}
		if err == nil {
			err = docker.Remove(ctx, nodes.IDs(found)...)
		}
		for _, n := range found {
			seen[n.ID], last = true, time.Now()
		}
		all := planned <= 1 && surely || len(seen) >= planned || time.Since(last) > nodes.Straggles
		return over && len(found) == 0 && all, err
	})
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("kind has not stopped after %s", sweepWithin)
	}
	return err
}

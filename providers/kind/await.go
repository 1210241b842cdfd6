package kind

import (
	"context"
	"fmt"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

// awaitAPI waits until the API server answers, and no longer than the nodes live.
func awaitAPI(ctx context.Context, name string, step *providers.Step) error {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for {
		nodes, err := find(ctx, name) // anew: a port may change with every start
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if state := n.State.Status; state != "running" && state != "restarting" {
				return providers.WithHint(fmt.Errorf("%s: %s", whyNot(n), n.State.Error), "docker logs %s", n.Name)
			}
		}
		if _, err = askVersion(ctx, nodes); err == nil {
			return nil
		}
		step.Progress("it does not answer yet")
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server does not answer: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

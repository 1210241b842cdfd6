package kind

import (
	"context"
	"fmt"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

// awaitAPI waits until the API server answers, and no longer than the nodes live. Before
// several, the balancer asks one after the other, and each must answer.
func awaitAPI(ctx context.Context, name string, step *providers.Step) error {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for inTurn := 0; ; {
		nodes, err := find(ctx, name) // anew: a port may change with every start
		if err != nil {
			return err
		}
		for _, n := range nodes {
			if state := n.State.Status; state != "running" && state != "restarting" {
				return providers.WithHint(fmt.Errorf("%s: %s", whyNot(n), n.State.Error), "docker logs %s", n.Name)
			}
		}
		servers := 0
		for _, n := range nodes {
			if role(n) == roleControlPlane {
				servers++
			}
		}
		inTurn++
		if _, err = askVersion(ctx, nodes); err != nil {
			inTurn = 0
			step.Progress("it does not answer yet")
		}
		if err == nil && inTurn >= servers {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the API server does not answer: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

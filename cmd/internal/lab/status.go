package lab

import (
	"context"
	"errors"
	"fmt"

	"github.com/clusterlab-dev/lab/providers"
)

// Status returns the cluster with its nodes. Where the API server does not answer,
// the cluster is degraded, and that is no error: see [Cluster.Ready].
func (l *Lab) Status(ctx context.Context, name string) (Cluster, error) {
	r, err := l.find(ctx, name)
	if err != nil {
		return Cluster{}, err
	}
	found, _ := l.Set.Lookup(ctx, refOf(r)) // the error is in found, too
	c, mine := l.settle(r, found[0].Cluster, found[0].Err)
	if !mine || c.State != providers.StateRunning {
		return c, nil
	}
	config, err := l.Set.Kubeconfig(ctx, refOf(r))
	if err == nil {
		c.Nodes, err = l.Probe.Nodes(ctx, config)
	}
	if err != nil {
		if ctx.Err() != nil {
			return Cluster{}, ctx.Err()
		}
		c.State, c.Reason = providers.StateDegraded, fmt.Sprintf("its API server does not answer: %v", err)
		return c, nil
	}
	for _, n := range c.Nodes {
		if !n.Ready {
			c.State, c.Reason = providers.StateDegraded, fmt.Sprintf("node %s is not ready: %s", n.Name, n.Reason)
			break
		}
	}
	c.Addons, err = l.addonViews(ctx, r)
	return c, err
}

// Ready returns nil where everything asked of the cluster is ready, else an error
// that says what is not.
func (c Cluster) Ready() error {
	if c.State == providers.StateRunning {
		return c.unready()
	}
	text := fmt.Sprintf("cluster %q is %s", c.Name, c.State)
	if c.Reason != "" {
		text += ": " + c.Reason
	}
	return providers.WithHint(errors.New(text), "%s", c.mend())
}

// mend is the command that helps a cluster in c's state.
func (c Cluster) mend() string {
	switch c.State {
	case providers.StateCreating, providers.StateDeleting:
		return "wait until the other lab is done"
	case providers.StateUnknown:
		return fmt.Sprintf("lab flavors says whether %s can be used; lab down %s forgets the cluster", c.Flavor, c.Name)
	}
	return fmt.Sprintf("lab start %s", c.Name)
}

package kind

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// bornWithin is how long a cluster may take to answer for the first time. One that is
// older and does not is broken.
const bornWithin = 5 * time.Minute

// List returns every cluster of kind that the Docker Engine has, whoever made it. On a
// machine without the docker command there is none.
func (p *Provider) List(ctx context.Context) ([]providers.Cluster, error) {
	if _, err := exec.LookPath("docker"); errors.Is(err, exec.ErrNotFound) {
		return nil, nil
	}
	containers, err := docker.Containers(ctx, labelCluster)
	if err != nil {
		return nil, err
	}
	byName := map[string][]docker.Container{}
	for _, c := range containers {
		name := c.Config.Labels[labelCluster]
		byName[name] = append(byName[name], c)
	}
	names := slices.Sorted(maps.Keys(byName))
	clusters := make([]providers.Cluster, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { clusters[i] = inspect(ctx, name, byName[name]) })
	}
	all.Wait()
	return clusters, ctx.Err()
}

// inspect says what there is to say of a cluster. It is alive if its API server says so:
// containers run long before there is a cluster in them.
func inspect(ctx context.Context, name string, nodes []docker.Container) providers.Cluster {
	c := providers.Cluster{Name: name, Provider: Name}
	first, ok := controlPlane(nodes)
	if ok {
		c.ID = first.ID
	}
	if c.State, c.Reason = stateOf(nodes); c.State != providers.StateRunning {
		return c
	}
	version, err := askVersion(ctx, nodes)
	c.KubernetesVersion = version
	switch {
	case err == nil:
	case isYoung(first, time.Now()):
		c.State = providers.StateCreating
	default:
		c.State, c.Reason = providers.StateDegraded, "its API server does not answer: "+err.Error()
	}
	return c
}

// stateOf tells the state of a cluster by its containers alone.
func stateOf(nodes []docker.Container) (providers.State, string) {
	if _, ok := controlPlane(nodes); !ok {
		if slices.ContainsFunc(nodes, func(n docker.Container) bool { return isYoung(n, time.Now()) }) {
			return providers.StateCreating, ""
		}
		return providers.StateDegraded, "its control plane is gone"
	}
	running, stopped := 0, 0
	reason := ""
	for _, n := range nodes {
		switch {
		case n.Running():
			running++
		case wasStopped(n):
			stopped++
		default:
			reason = whyNot(n)
		}
	}
	switch {
	case running == len(nodes):
		return providers.StateRunning, ""
	case stopped == len(nodes):
		return providers.StateStopped, ""
	case reason == "":
		reason = "some of its nodes are stopped"
	}
	if running+stopped == 0 && slices.ContainsFunc(nodes, func(n docker.Container) bool { return n.State.Status == "created" && isYoung(n, time.Now()) }) {
		return providers.StateCreating, ""
	}
	return providers.StateDegraded, reason
}

// wasStopped tells whether a node was stopped on purpose: lab takes from those that it
// stops what would start them again, and others that are stopped end in order.
func wasStopped(n docker.Container) bool {
	calm := n.State.ExitCode == 0 || n.State.ExitCode == 130 || n.State.ExitCode == 143
	return n.State.Status == "exited" && (n.HostConfig.RestartPolicy.Name == restartNever || calm)
}

func whyNot(n docker.Container) string {
	switch n.State.Status {
	case "exited", "dead":
		return fmt.Sprintf("node %s does not run any more (exit code %d)", n.Name, n.State.ExitCode)
	case "created":
		return fmt.Sprintf("node %s was never started", n.Name)
	}
	return fmt.Sprintf("node %s is %s", n.Name, n.State.Status) // paused, for one
}

// isYoung tells whether a node may still be on its way up for the first time.
func isYoung(n docker.Container, now time.Time) bool { return now.Sub(n.Created) < bornWithin }

package kind

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// The restart policies of nodes. kind's own brings them back when the machine starts,
// which is not for clusters that somebody stopped.
const (
	restartLikeKind = "on-failure:1"
	restartNever    = "no"
)

// addressFile is where a node keeps the address it had, to mend its configuration by
// when it starts with another.
const addressFile = "/kind/old-ipv4"

// Start starts the nodes that do not run, and waits until the API server answers. On
// error it leaves the cluster as far as it came.
func (p *Provider) Start(ctx context.Context, name string, report providers.Reporter) error {
	nodes, err := find(ctx, name)
	if err != nil {
		return err
	}
	if state, _ := stateOf(nodes); state == providers.StateRunning {
		if _, err := askVersion(ctx, nodes); err == nil {
			return nil
		}
	}
	report = report.For(name)
	err = report.Do("Starting the nodes", func(step *providers.Step) error { return startNodes(ctx, nodes, step) })
	if err != nil {
		return err
	}
	return report.Do("Waiting for the API server", func(step *providers.Step) error { return awaitAPI(ctx, name, step) })
}

// startNodes starts one node after the other in the order of the addresses that they
// had. Docker gives addresses out in turn, so most get theirs again. A node that gets
// another mends itself, but several control planes know one another by address.
func startNodes(ctx context.Context, nodes []docker.Container, step *providers.Step) error {
	if err := docker.Do(ctx, []string{"update", "--restart=" + restartLikeKind}, ids(nodes)...); err != nil {
		return err
	}
	var paused, asleep []docker.Container
	had := map[string]netip.Addr{}
	for _, n := range nodes {
		switch {
		case n.State.Status == "paused":
			paused = append(paused, n)
		case !n.Running():
			asleep = append(asleep, n)
			// Where it cannot be read the node comes last, as the balancer does.
			text, _ := docker.ReadFile(ctx, n.ID, addressFile)
			had[n.ID], _ = netip.ParseAddr(string(bytes.TrimSpace(text)))
		}
	}
	if err := docker.Do(ctx, []string{"unpause"}, ids(paused)...); err != nil {
		return err
	}
	unknown := func(a netip.Addr) int {
		if a.IsValid() {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(asleep, func(a, b docker.Container) int {
		x, y := had[a.ID], had[b.ID]
		return cmp.Or(cmp.Compare(unknown(x), unknown(y)), x.Compare(y))
	})
	for _, n := range asleep {
		step.Progress(n.Name)
		if err := docker.Do(ctx, []string{"start"}, n.ID); err != nil {
			return err
		}
	}
	return nil
}

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
			return fmt.Errorf("the API server does not answer (%v): %w", err, ctx.Err())
		case <-tick.C:
		}
	}
}

// Stop stops the nodes, all at once, and keeps them stopped when the machine starts.
func (p *Provider) Stop(ctx context.Context, name string) error {
	nodes, err := find(ctx, name)
	if err != nil {
		return err
	}
	// First of all, so that whatever happens afterwards they count as stopped.
	if err := docker.Do(ctx, []string{"update", "--restart=" + restartNever}, ids(nodes)...); err != nil {
		return err
	}
	var running, paused []docker.Container
	for _, n := range nodes {
		switch {
		case n.State.Status == "paused":
			paused = append(paused, n)
			running = append(running, n)
		case n.Running():
			running = append(running, n)
		}
	}
	if err := docker.Do(ctx, []string{"unpause"}, ids(paused)...); err != nil {
		return err
	}
	return docker.Do(ctx, []string{"stop"}, ids(running)...)
}

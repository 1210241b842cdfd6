package nodes

import (
	"context"
	"errors"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// Stop stops the nodes of a cluster, and has the engine not start them with the machine.
func (t Tool) Stop(ctx context.Context, ref providers.Ref) error {
	ctx = docker.On(ctx, ref.Engine)
	nodes, err := t.Own(ctx, ref)
	if err != nil {
		return err
	}
	// First, so that they count as stopped whatever happens afterwards.
	if err := t.bringBack(ctx, RestartNever, nodes); err != nil {
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
	if err := docker.Do(ctx, []string{"unpause"}, IDs(paused)...); err != nil {
		return err
	}
	return docker.Stop(ctx, IDs(running)...)
}

// Start repairs what it can, has wake start the stopped nodes in the order that suits the tool,
// and waits until the API server answers. On a cluster that answers it does nothing. On error
// the cluster stays as it is then.
func (t Tool) Start(ctx context.Context, ref providers.Ref, report event.Reporter,
	wake func(ctx context.Context, asleep []docker.Container, step *event.Step) error) error {
	ctx = docker.On(ctx, ref.Engine)
	nodes, err := t.Own(ctx, ref)
	if err != nil {
		return err
	}
	if _, ok := t.First(nodes); !ok {
		return Headless(ref.Name)
	}
	report = report.For(ref.Name)
	if nodes, err = t.repair(ctx, ref, nodes, report); err != nil {
		return err
	}
	if state, _ := t.State(nodes); state == providers.StateRunning {
		if _, err := t.AskVersion(ctx, nodes); err == nil {
			return nil
		}
	}
	err = report.Do("Starting the nodes", func(step *event.Step) error {
		asleep, err := t.rouse(ctx, nodes)
		if err != nil {
			return err
		}
		defer t.withoutCache(ctx, nodes, report)()
		return wake(ctx, asleep, step)
	})
	if err != nil {
		return err
	}
	return report.Do("Waiting for the API server", func(step *event.Step) error { return t.AwaitAPI(ctx, ref.Name, step) })
}

// withoutCache disconnects the image cache from the network of a cluster, because the engine may
// have started it at the address of a stopped node, and returns a function that connects it.
func (t Tool) withoutCache(ctx context.Context, nodes []docker.Container, report event.Reporter) (connect func()) {
	network, own := t.networkOf(nodes)
	if t.Cache == nil || !own {
		return func() {}
	}
	_ = docker.Disconnect(ctx, network, t.Cache.Container) // or it was not connected
	return func() { FindCache(ctx, t.Cache, providers.Spec{}, report).Connect(ctx, network, report) }
}

// rouse reverts what a stop changed, resumes paused nodes, and returns the nodes that must be
// started.
func (t Tool) rouse(ctx context.Context, nodes []docker.Container) ([]docker.Container, error) {
	if err := t.bringBack(ctx, t.Restart, nodes); err != nil {
		return nil, err
	}
	var paused, asleep []docker.Container
	for _, n := range nodes {
		switch {
		case n.State.Status == "paused":
			paused = append(paused, n)
		case !n.Running():
			asleep = append(asleep, n)
		}
	}
	return asleep, docker.Do(ctx, []string{"unpause"}, IDs(paused)...)
}

// bringBack sets the restart policy of nodes, if the tool has one.
func (t Tool) bringBack(ctx context.Context, policy string, nodes []docker.Container) error {
	if t.Restart == "" {
		return nil
	}
	return docker.Do(ctx, []string{"update", "--restart=" + policy}, IDs(nodes)...)
}

// Headless returns the error of a start without a control plane.
func Headless(name string) error {
	return fault.WithHint(errors.New("its control plane is missing"), "recreate the cluster; its contents are lost: lab up %s --recreate", name)
}

package nodes

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// Creation is the creation of one cluster by one tool. Fields without a comment on nil are
// required.
type Creation struct {
	Spec   providers.Spec // with the result of [WithDefaults]
	Named  string         // the name of the cluster in the tool's own configuration, or ""
	Images []Image        // that the engine must have
	Cache  *Cache         // may be nil

	// InDocker says that the nodes are containers of the Docker Engine: the tool is ended when
	// one of them dies, and their logs are saved when the creation fails.
	InDocker bool

	// AwaitAPI says that Run returns before the API server answers.
	AwaitAPI bool

	// CheckFree returns ErrExists if the name of the cluster or of one of its nodes is taken.
	CheckFree func(ctx context.Context) error

	// Adapt changes the tool's configuration to what the engine supports, and reports what
	// the user should know.
	Adapt func(ctx context.Context, report event.Reporter) error

	// Run has the tool create and start the nodes. It returns when ctx ends, with any error.
	Run func(ctx context.Context, report event.Reporter) error

	// Finish changes what the tool cannot be told before. It may be nil.
	Finish func(ctx context.Context) error

	// ExportLogs writes the logs of the nodes into dir.
	ExportLogs func(ctx context.Context, dir string) error

	// Settings becomes [Tool].Settings if the user gave a configuration of the tool.
	Settings func(program string) string

	// Remove removes everything that a Run created which failed, and bounds its own time.
	// interrupted says that ctx ended while Run was at work.
	Remove func(ctx context.Context, failed error, interrupted bool) error
}

// WithDefaults returns spec with caFile if it names no certificate authority, and with a mark
// if it has none: a failed creation is removed by its mark.
func WithDefaults(spec providers.Spec, caFile string) providers.Spec {
	spec.CAFile = cmp.Or(spec.CAFile, caFile)
	spec.Mark = cmp.Or(spec.Mark, strings.ToLower(rand.Text()))
	return spec
}

// Create creates a cluster as [providers.Provider].Create does. The adapter has translated the
// spec before, which needs neither an engine nor a tool.
func (t Tool) Create(ctx context.Context, c Creation, report event.Reporter) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	report = report.For(c.Spec.Name)
	if err := c.CheckFree(ctx); err != nil {
		return err
	}
	if c.Named != "" && c.Named != c.Spec.Name {
		report.Warn("the configuration for %s names the cluster %q; lab creates %q", t.Flavor, c.Named, c.Spec.Name)
	}
	if err := c.Adapt(ctx, report); err != nil {
		return err
	}
	// A configuration of kind and k3d may publish the API server at an address that lab reaches
	// nevertheless; AwaitAPI finds out.
	if c.InDocker && (len(c.Spec.Native) == 0 || !c.AwaitAPI) {
		if err := docker.CheckReachable(ctx); err != nil {
			return err
		}
	}
	if err := pull(ctx, c.Images, c.Cache, report); err != nil {
		return err
	}
	// A pull takes minutes, in which another program may have taken the name.
	if err := c.CheckFree(ctx); err != nil {
		return err
	}
	err := t.run(ctx, c, report)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err == nil {
		return nil
	}
	return t.undo(ctx, c, err)
}

// run creates the nodes, waits for the API server, and finishes the cluster.
func (t Tool) run(ctx context.Context, c Creation, report event.Reporter) error {
	if err := t.runWatched(ctx, c, report); err != nil {
		return err
	}
	if c.AwaitAPI {
		err := report.Do("Waiting for the API server", func(step *event.Step) error { return t.AwaitAPI(ctx, c.Spec.Name, step) })
		if err != nil {
			return err
		}
	}
	if c.Finish == nil {
		return nil
	}
	return c.Finish(ctx)
}

// runWatched ends Run when a node dies: the tools go on waiting for it, up to their own limits
// or forever.
func (t Tool) runWatched(ctx context.Context, c Creation, report event.Reporter) error {
	if !c.InDocker {
		return c.Run(ctx, report)
	}
	watched, stop := t.untilDeath(ctx, c.Spec.Name, lookEvery)
	defer stop()
	err := c.Run(watched, report)
	if watched.Err() != nil && ctx.Err() == nil {
		return context.Cause(watched)
	}
	return err
}

// undo removes what a failed creation left, and returns why it failed, with the directory of
// the saved logs. If another program took the name, the existing nodes are not the creation's,
// and no logs are saved.
func (t Tool) undo(ctx context.Context, c Creation, failed error) error {
	interrupted := ctx.Err() != nil
	if c.InDocker && !errors.Is(failed, fault.ErrExists) {
		if len(c.Spec.Native) > 0 {
			t.Settings = c.Settings
		}
		failed = t.WithLogs(ctx, c.Spec.Name, c.Spec.LogsDir, failed, c.ExportLogs)
	}
	if err := c.Remove(context.WithoutCancel(ctx), failed, interrupted); err != nil {
		return fmt.Errorf("%w\ncannot remove all leftovers: %w", failed, err)
	}
	return failed
}

// CheckFree returns ErrExists if the tool has a cluster of that name, or if the engine has a
// container with the name of one of its nodes. All these names begin with prefix.
func (t Tool) CheckFree(ctx context.Context, name, prefix string, nodes []string) error {
	found, err := t.Find(ctx, name)
	if err == nil {
		return fault.Errorf(fault.ErrExists, "a %s cluster of this name already exists, with the node %s", t.Flavor, found[0].Name)
	}
	if !errors.Is(err, fault.ErrNotFound) {
		return err
	}
	return t.CheckNames(ctx, prefix, nodes)
}

// CheckNames returns ErrExists if the engine has a container, of any program, with the name of
// one of nodes. All these names begin with prefix.
func (t Tool) CheckNames(ctx context.Context, prefix string, nodes []string) error {
	taken, err := docker.Names(ctx, prefix)
	if err != nil {
		return err
	}
	for _, node := range nodes {
		if slices.Contains(taken, node) {
			err := fault.Errorf(fault.ErrExists, "container %s already exists and is not a node of a %s cluster", node, t.Flavor)
			return fault.WithHint(err, "use another name, or remove the container: docker rm --force %s", node)
		}
	}
	return nil
}

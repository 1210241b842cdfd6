// Package kwok creates clusters of simulated nodes. The program lab-engine runs the real control plane
// of Kubernetes, one process per cluster, and KWOK simulates the pods. kwok needs neither a container
// engine nor root.
//
// A cluster is a directory and the process that holds the lock in it; engine/PROTOCOL.md describes both.
// The package trusts a process ID only while that process holds the lock.
package kwok

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Name is the flavor's name.
const Name = "kwok"

// Options configure a [Provider].
type Options struct {
	// Dir is the directory of the clusters, each of which is a subdirectory. Create creates it with the
	// first cluster. No other program may write to it, because names in it are trusted.
	Dir string

	// Engine is the path of lab-engine. If it is empty, the program is looked for next to lab, on PATH
	// and then in BinDirs.
	Engine string

	// BinDirs are further directories in which lab-engine may be.
	BinDirs []string
}

// Provider implements [providers.Provider], [providers.StartStopper], [providers.LogExporter],
// [providers.Snapshotter] and [providers.KubectlProvider]. Its nodes run nothing, so it does not load images.
type Provider struct {
	opts     Options
	grace    time.Duration // how long an engine may take to shut down
	patience time.Duration // how long Start waits for a running engine that does not answer
}

// New returns a Provider. It touches nothing.
func New(opts Options) *Provider {
	// The working directory of the engine is that of its cluster, so paths must be absolute.
	if abs, err := filepath.Abs(opts.Dir); err == nil {
		opts.Dir = abs
	}
	return &Provider{opts: opts, grace: 10 * time.Second, patience: 30 * time.Second}
}

// Name returns "kwok".
func (*Provider) Name() string { return Name }

// RemoveCommand implements [providers.Remover]. No other program manages these clusters, so the command
// kills the engine and removes the directory.
func (p *Provider) RemoveCommand(name string) string {
	command := "rm -rf " + fault.ShellWord(p.dir(name))
	if pid, err := holder(p.dir(name)); err == nil && pid > 0 {
		return fmt.Sprintf("kill -9 %d && %s", pid, command)
	}
	return command
}

// Describe returns the row of the flavor in lab flavors.
func (*Provider) Describe() providers.Description {
	return providers.Description{
		Summary:      "a real control plane with simulated nodes and pods; no containers run",
		Nodes:        fmt.Sprintf("simulated, 1 control plane and up to %d workers", providers.MaxNodes),
		Runtime:      "none, pods are simulated",
		Unprivileged: "yes, and without a container engine",
		Vanilla:      true,
		Homepage:     "https://kwok.sigs.k8s.io",
	}
}

// Traits returns that no pods run. So no port reaches a pod, and no component serves metrics.
func (*Provider) Traits(providers.Spec) providers.Traits {
	return providers.Traits{RunsPods: false}
}

// Check implements [providers.Provider]. It returns ErrUnavailable if lab-engine is missing or does not
// run, ErrUnsupported if it contains another version of Kubernetes than spec, and ErrInvalid if it
// rejects the native configuration.
func (p *Provider) Check(ctx context.Context, spec providers.Spec) error {
	path, err := p.findEngine()
	if err != nil {
		return err
	}
	offered, err := askVersion(ctx, path)
	switch {
	case err != nil:
	case spec.From != nil:
		err = matchSnapshot(*spec.From, offered)
	case spec.KubernetesVersion != "":
		err = matchVersion(spec.KubernetesVersion, offered)
	}
	if err != nil || len(spec.Native) == 0 {
		return err
	}
	return checkNative(ctx, path, spec.Native)
}

// Validate implements [providers.Validator].
func (p *Provider) Validate(spec providers.Spec) error {
	_, err := configFor(spec)
	return err
}

// Create creates the cluster and returns when it is ready, nodes included. It returns ErrInvalid,
// ErrUnsupported, ErrExists or ErrUnavailable. If the engine dies, the error contains its last log
// lines.
func (p *Provider) Create(ctx context.Context, spec providers.Spec, report event.Reporter) error {
	config, err := configFor(spec)
	if err != nil {
		return err
	}
	engine, err := p.engineFor(ctx, spec.KubernetesVersion)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if spec.From != nil {
		config = restored(config, *spec.From)
	}
	if err := p.claim(config); err != nil {
		return err
	}
	err = p.fill(ctx, engine, spec, report.For(spec.Name))
	if err == nil {
		return nil
	}
	if left := p.discard(context.WithoutCancel(ctx), spec.Name); left != nil {
		return fmt.Errorf("%w\nand cannot remove the files of the cluster: %w", err, left)
	}
	return err
}

// fill creates the contents of a cluster whose directory exists, and starts it.
func (p *Provider) fill(ctx context.Context, engine string, spec providers.Spec, report event.Reporter) error {
	dir := p.dir(spec.Name)
	if spec.From != nil {
		err := report.Do("Restoring the snapshot", func(*event.Step) error { return restore(ctx, engine, dir, *spec.From) })
		if err != nil {
			return err
		}
	}
	// A failed engine is killed at once, because its data is removed.
	return boot(ctx, engine, dir, 0, report)
}

// engineFor returns the path of a lab-engine that contains a version of Kubernetes; "" accepts any.
func (p *Provider) engineFor(ctx context.Context, version string) (string, error) {
	path, err := p.findEngine()
	if err != nil || version == "" {
		return path, err
	}
	offered, err := askVersion(ctx, path)
	if err != nil {
		return "", err
	}
	return path, matchVersion(version, offered)
}

// Versions implements [providers.Versioner]: lab-engine contains one version of Kubernetes.
func (p *Provider) Versions(ctx context.Context) ([]string, error) {
	path, err := p.findEngine()
	if err != nil {
		return nil, err
	}
	version, err := askVersion(ctx, path)
	return []string{version}, err
}

// dir returns the directory of a cluster.
func (p *Provider) dir(name string) string { return filepath.Join(p.opts.Dir, name) }

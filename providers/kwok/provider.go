// Package kwok makes clusters of simulated nodes: the real control plane of
// Kubernetes, run as one process a cluster by the program lab-engine, and pods
// that KWOK pretends to run. It needs neither a container engine nor root.
//
// A cluster is a directory and the process that holds the lock in it;
// engine/PROTOCOL.md says what lies where. No process outlives the need for it,
// and no process id is trusted that does not hold the lock at that moment.
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

// Options say where things are.
type Options struct {
	// Dir is where clusters are kept, one directory each. It is made when the
	// first cluster is. It must be the caller's own: names in it are trusted.
	Dir string

	// Engine is the path of lab-engine. Where it is empty, the program is looked
	// for beside lab's own, on PATH, and then in BinDirs.
	Engine string

	// BinDirs are further directories in which lab-engine may be.
	BinDirs []string
}

// Provider implements [providers.Provider], [providers.StartStopper] and
// [providers.LogExporter]. Nothing runs on its nodes, so it loads no images.
type Provider struct {
	opts     Options
	grace    time.Duration // how long an engine may take to shut down in order
	patience time.Duration // how long Start waits for one that is at work and does not answer
}

// New returns a Provider. It touches nothing.
func New(opts Options) *Provider {
	// The engine is started inside its directory, where a relative path would
	// mean another place.
	if abs, err := filepath.Abs(opts.Dir); err == nil {
		opts.Dir = abs
	}
	return &Provider{opts: opts, grace: 10 * time.Second, patience: 30 * time.Second}
}

// Name returns "kwok".
func (*Provider) Name() string { return Name }

// RemoveCommand implements [providers.Remover]: there is no program but lab that manages these
// clusters.
func (p *Provider) RemoveCommand(name string) string {
	command := "rm -r " + fault.ShellWord(p.dir(name))
	if pid, err := holder(p.dir(name)); err == nil && pid > 0 {
		return fmt.Sprintf("kill -9 %d && %s", pid, command)
	}
	return command
}

// Describe says what the flavor offers.
func (*Provider) Describe() providers.Description {
	return providers.Description{
		Summary:      "a real control plane with simulated nodes: pods look alive, and no container ever runs",
		Nodes:        fmt.Sprintf("simulated, 1 control plane and up to %d workers", providers.MaxNodes),
		Runtime:      "none, pods are simulated",
		Unprivileged: "yes, and without a container engine",
		Vanilla:      true,
		Homepage:     "https://kwok.sigs.k8s.io",
	}
}

// Traits says that no pod runs, from which all else follows: no port leads to a
// pod, and no metrics are served.
func (*Provider) Traits(providers.Spec) providers.Traits {
	return providers.Traits{RunsPods: false}
}

// Check returns nil where lab-engine is found and can tell its version, else
// ErrUnavailable, ErrUnsupported where that is not the version asked for, and ErrInvalid
// where it refuses the spec's own configuration.
func (p *Provider) Check(ctx context.Context, spec providers.Spec) error {
	path, err := p.findEngine()
	if err != nil {
		return err
	}
	offered, err := askVersion(ctx, path)
	if err == nil && spec.KubernetesVersion != "" {
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

// Create makes the cluster and returns once it is ready: its nodes too, since
// they cost nothing. It returns ErrInvalid, ErrUnsupported, ErrExists or
// ErrUnavailable, or an error with the last words of an engine that died.
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
	if err := p.claim(config); err != nil {
		return err
	}
	// No grace for an engine that failed: its data go with it.
	err = boot(ctx, engine, p.dir(spec.Name), 0, report.For(spec.Name))
	if err == nil {
		return nil
	}
	if left := p.discard(context.WithoutCancel(ctx), spec.Name); left != nil {
		return fmt.Errorf("%w\nand what it left is still there: %w", err, left)
	}
	return err
}

// engineFor returns the path of a lab-engine that is of the Kubernetes version
// asked for; "" accepts any.
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

// Versions returns the one version of Kubernetes that lab-engine is built of.
func (p *Provider) Versions(ctx context.Context) ([]string, error) {
	path, err := p.findEngine()
	if err != nil {
		return nil, err
	}
	version, err := askVersion(ctx, path)
	return []string{version}, err
}

func (p *Provider) dir(name string) string { return filepath.Join(p.opts.Dir, name) }

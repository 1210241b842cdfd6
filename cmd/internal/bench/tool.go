package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// endsWithin is how long a tool may take to end after a signal.
const endsWithin = 10 * time.Second

// byColdLab creates clusters with an empty cache. The engine still has its images: lab removes
// no image that it did not load.
func (b *Bench) byColdLab(q clusters.UpRequest) func(context.Context, string, func(), event.Reporter) error {
	return func(ctx context.Context, name string, ready func(), report event.Reporter) error {
		return inScratch(func(dir string) error { return b.byLab(b.Cold(dir), q)(ctx, name, ready, report) })
	}
}

// inScratch calls f with an empty directory, and removes it.
func inScratch(f func(dir string) error) error {
	dir, err := os.MkdirTemp("", "lab-bench-")
	if err != nil {
		return err
	}
	return errors.Join(f(dir), os.RemoveAll(dir))
}

// byTool returns the side of the flavor's own tool.
func (b *Bench) byTool(ctx context.Context, q clusters.UpRequest) (*side, error) {
	s := &side{}
	err := inScratch(func(dir string) error { // for its name, its version, and its errors, before anything is measured
		spec := q.Spec
		spec.Name = newName()
		alone, err := b.Inventory.Set.Alone(ctx, q.Flavor, spec, dir)
		if err != nil {
			return err
		}
		version, err := run(ctx, alone, alone.Version)
		if err != nil {
			return err
		}
		first, _, _ := strings.Cut(strings.TrimSpace(version), "\n")
		s.Side = Side{Name: alone.Tool, Version: first}
		for _, command := range alone.Create {
			s.Commands = append(s.Commands, shown(command, spec.Name, dir))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s.create = func(ctx context.Context, name string, ready func(), report event.Reporter) error {
		return inScratch(func(dir string) error {
			spec := q.Spec
			spec.Name = name
			return b.createAlone(ctx, q.Flavor, spec, dir, ready, report)
		})
	}
	return s, nil
}

// shown returns a command line for people, without what differs in each round.
func shown(command []string, name, dir string) string {
	line := strings.Join(append([]string{filepath.Base(command[0])}, command[1:]...), " ")
	return strings.NewReplacer(name, "NAME", dir+string(filepath.Separator), "").Replace(line)
}

// createAlone creates a cluster with the tool, waits until it is ready, and deletes it.
func (b *Bench) createAlone(ctx context.Context, flavor string, spec providers.Spec, dir string, ready func(), report event.Reporter) (err error) {
	p, err := b.Inventory.Set.Get(flavor)
	if err != nil {
		return err
	}
	alone, err := b.Inventory.Set.Alone(ctx, flavor, spec, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.deleteAlone(ctx, alone, flavor, spec.Name)) }()
	for _, command := range alone.Create {
		err := report.Do(shown(command[:min(3, len(command))], spec.Name, dir), func(*event.Step) error {
			_, err := run(ctx, alone, command)
			return err
		})
		if err != nil {
			return err
		}
	}
	config, err := os.ReadFile(alone.Kubeconfig)
	if err != nil {
		return err
	}
	want := probe.Want{Nodes: nodesOf(spec), DNS: p.Traits(spec).RunsPods}
	err = report.Do("Waiting for nodes and DNS", func(step *event.Step) error {
		return b.Inventory.Probe.Wait(ctx, config, want, step.Progress)
	})
	if err == nil {
		ready()
	}
	return err
}

// deleteAlone deletes the cluster of a tool, also after ctx has ended. If the tool fails or
// leaves something, the adapter of the flavor deletes the rest: the name is unique, so all
// of it belongs to the measurement.
func (b *Bench) deleteAlone(ctx context.Context, alone providers.Alone, flavor, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleansWithin)
	defer cancel()
	_, failed := run(ctx, alone, alone.Delete)
	p, err := b.Inventory.Set.Get(flavor)
	if err != nil {
		return err
	}
	all, err := p.List(ctx)
	if err != nil {
		return errors.Join(failed, err)
	}
	for _, c := range all {
		if c.Name != name {
			continue
		}
		failed = p.Delete(ctx, providers.Ref{Provider: flavor, Name: name, ID: c.ID})
	}
	return fault.WithHint(failed, "delete the cluster: %s", shown(alone.Delete, "", ""))
}

// run runs a command of a tool, and returns its output. If ctx ends, the tool may clean up.
func run(ctx context.Context, alone providers.Alone, command []string) (string, error) {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), alone.Env...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = endsWithin
	out, err := cmd.CombinedOutput()
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		line := strings.Join(append([]string{filepath.Base(command[0])}, command[1:]...), " ")
		return "", fault.WithDetail(fmt.Errorf("%s: %w: %s", line, err, lastLine(string(out))), string(out))
	}
	return string(out), nil
}

// lastLine returns the last line of the output of a tool, which usually says why it failed.
func lastLine(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[len(lines)-1]
}

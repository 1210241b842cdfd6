package kind

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sigs.k8s.io/kind/pkg/log"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// logsWithin bounds the saving of logs before a cluster is removed that failed.
const logsWithin = 30 * time.Second

// ExportLogs writes what kind collects: the logs of each node, of its pods and of the
// engine. What cannot be had, as a node does not run, says so in its own file.
func (p *Provider) ExportLogs(ctx context.Context, name, dir string) error {
	if _, err := find(ctx, name); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- tool(log.NoopLogger{}).CollectLogs(name, dir) }()
	select {
	case err := <-done:
		return unwritten(err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// unwritten returns those of kind's errors that do not stand in the files: commands that
// failed do, with their words.
func unwritten(err error) error {
	if err == nil {
		return nil
	}
	for _, cause := range causes(err) {
		if path := (*fs.PathError)(nil); errors.As(cause, &path) {
			return cause
		}
	}
	return nil
}

// withLogs saves the logs of a cluster that is about to be removed because of cause, and
// returns cause with the place. Where no node ever ran there is nothing to save.
func (p *Provider) withLogs(ctx context.Context, name string, cause error) error {
	nodes, err := find(ctx, name)
	if err != nil || !slices.ContainsFunc(nodes, docker.Container.Running) {
		return cause
	}
	ctx, cancel := context.WithTimeout(ctx, logsWithin)
	defer cancel()
	parent := cmp.Or(p.opts.LogsDir, os.TempDir())
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return cause
	}
	dir, err := os.MkdirTemp(parent, "lab-"+name+"-logs-")
	if err != nil {
		return cause
	}
	if err := p.ExportLogs(ctx, name, dir); err != nil {
		if entries, _ := os.ReadDir(dir); len(entries) == 0 {
			_ = os.Remove(dir)
			return cause
		}
	}
	return providers.WithHint(fmt.Errorf("%w\nits logs are in %s", cause, filepath.Clean(dir)),
		"%s", cmp.Or(providers.HintOf(cause), "read the logs in "+dir))
}

package minikube

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// collectWithin bounds what minikube may take to collect its own logs.
const collectWithin = 20 * time.Second

// ExportLogs writes what minikube noted when it made the cluster, what each node printed
// and its journal and, of a cluster that runs, what minikube collects: the last of each
// part of it. What cannot be had says so in its own file.
func (p *Provider) ExportLogs(ctx context.Context, name, dir string) error {
	if _, err := p.find(ctx, name); err != nil {
		return err
	}
	found, err := p.containers().Find(ctx, name)
	if ignoreNotFound(err) != nil {
		return err
	}
	errs := []error{copyFile(filepath.Join(p.profileDir(name), "events.json"), filepath.Join(dir, "events.json"))}
	for _, node := range found {
		file := filepath.Join(dir, node.Name)
		errs = append(errs, save(ctx, file+".log", "logs", node.ID))
		if node.Running() {
			errs = append(errs, save(ctx, file+"-journal.log", "exec", node.ID, "journalctl", "--no-pager", "--quiet"))
		}
	}
	if err := errors.Join(errs...); err != nil || ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	if !slices.ContainsFunc(found, func(c docker.Container) bool { return !c.Running() }) {
		p.collect(ctx, name, filepath.Join(dir, "minikube.log"))
	}
	return ctx.Err()
}

// collect has minikube write its own logs into a file. They are worth having where they
// can be had.
func (p *Provider) collect(ctx context.Context, name, file string) {
	if _, err := p.profile(name); err != nil {
		return
	}
	tool, err := p.program(ctx)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, collectWithin)
	defer cancel()
	_ = p.run(ctx, tool, name, quiet(), "logs", "--file="+file)
}

// save writes what a docker command prints into a file, or why it printed nothing.
func save(ctx context.Context, path string, args ...string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := docker.Pipe(ctx, nil, file, args...); err != nil {
		_, _ = file.WriteString(err.Error() + "\n")
	}
	return file.Close()
}

// copyFile copies a file, if it is there.
func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

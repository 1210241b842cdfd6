package minikube

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/cause"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// collectWithin bounds how long minikube may take to collect its own logs.
const collectWithin = 20 * time.Second

// ExportLogs writes minikube's log of the creation, the output and the journal of each node
// and, for a running cluster, what minikube collects: the last lines of each component. A file
// that cannot be collected contains the reason.
func (p *Provider) ExportLogs(ctx context.Context, ref providers.Ref, dir string) error {
	ctx, _, err := p.own(ctx, ref)
	if err != nil {
		return err
	}
	return p.exportLogs(ctx, ref.Name, dir)
}

func (p *Provider) exportLogs(ctx context.Context, name, dir string) error {
	dir, err := filepath.Abs(dir) // minikube has another working directory
	if err != nil {
		return err
	}
	found, err := p.engine.containers().Find(ctx, name)
	if ignoreNotFound(err) != nil {
		return err
	}
	errs := []error{copyFile(filepath.Join(p.home.profileDir(name), "events.json"), filepath.Join(dir, "events.json"))}
	for _, node := range found {
		file := filepath.Join(dir, node.Name)
		errs = append(errs, docker.WriteLog(ctx, file+".log", func(w io.Writer) error { return docker.Logs(ctx, node.ID, 0, w) }))
		// A node that never ran has none.
		_ = docker.CopyOut(ctx, node.ID, "/var/log/pods", file)
		if node.Running() {
			errs = append(errs, docker.WriteLog(ctx, file+"-journal.log", func(w io.Writer) error {
				return docker.Exec(ctx, node.ID, nil, w, "journalctl", "--no-pager", "--quiet")
			}))
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

// logsOf returns where exportLogs writes the logs of a node.
func logsOf(node string) cause.Node {
	return cause.Node{Output: node + ".log", Journal: node + "-journal.log", Pods: node}
}

// settings returns the keys of minikube's configuration for a program of a node.
func settings(program string) string {
	switch {
	case program == "containerd":
		return "container-runtime and insecure-registry"
	case program == "kubeadm" || program == "kubelet" || program == "etcd" || strings.HasPrefix(program, "kube-"):
		return "extra-config or feature-gates"
	}
	return ""
}

// collect has minikube write its own logs into a file, and ignores a failure.
func (p *Provider) collect(ctx context.Context, name, file string) {
	if _, err := p.home.profile(name); err != nil {
		return
	}
	tool, err := p.runner.program(ctx)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, collectWithin)
	defer cancel()
	_ = p.runner.run(ctx, tool, name, quiet(), "logs", "--file="+file)
}

// copyFile copies a file if it exists.
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

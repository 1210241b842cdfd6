package k3d

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// podLogs are what the kubelet keeps of the containers of pods, in a node.
const podLogs = "/var/log/pods"

// ExportLogs writes what every container of the cluster said, into a file of its name, and
// the logs of the pods on each node, into a directory of its name.
func (p *Provider) ExportLogs(ctx context.Context, name, dir string) error {
	found, err := containers().Find(ctx, name)
	if err != nil {
		return err
	}
	for _, c := range found {
		if err := exportLog(ctx, c, filepath.Join(dir, c.Name+".log")); err != nil {
			return err
		}
		if !isNode(c) {
			continue
		}
		// A node that never ran has none.
		if err := docker.CopyOut(ctx, c.ID, podLogs, filepath.Join(dir, c.Name)); err != nil && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// exportLog writes what a container said. That docker cannot tell stands in the file.
func exportLog(ctx context.Context, c docker.Container, path string) (err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := docker.Logs(ctx, c.ID, 0, file); err != nil {
		_, err = file.WriteString(err.Error() + "\n")
		return errors.Join(err, ctx.Err())
	}
	return nil
}

package k3d

import (
	"context"
	"io"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// podLogs are what the kubelet keeps of the containers of pods, in a node.
const podLogs = "/var/log/pods"

// ExportLogs writes what every container of the cluster said, into a file of its name, and
// the logs of the pods on each node, into a directory of its name.
func (p *Provider) ExportLogs(ctx context.Context, ref providers.Ref, dir string) error {
	ctx = docker.On(ctx, ref.Engine)
	found, err := containers().Own(ctx, ref)
	if err != nil {
		return err
	}
	for _, c := range found {
		said := func(w io.Writer) error { return docker.Logs(ctx, c.ID, 0, w) }
		if err := docker.WriteLog(ctx, filepath.Join(dir, c.Name+".log"), said); err != nil {
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

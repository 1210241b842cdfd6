package k3d

import (
	"context"
	"io"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/cause"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// podLogs is where the kubelet keeps the logs of pods in a node.
const podLogs = "/var/log/pods"

// runtimeLog is containerd's log in a node: k3s does not include it in its own output.
const runtimeLog = "/var/lib/rancher/k3s/agent/containerd/containerd.log"

// ExportLogs writes the output of every container of the cluster into a file of its name, and
// the logs of the pods on each node into a directory of its name.
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
		for from, to := range map[string]string{podLogs: c.Name, runtimeLog: c.Name + "-containerd.log"} {
			if err := docker.CopyOut(ctx, c.ID, from, filepath.Join(dir, to)); err != nil && ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}

// logsOf returns where ExportLogs writes the logs of a node.
func logsOf(node string) cause.Node {
	return cause.Node{Output: node + ".log", Runtime: node + "-containerd.log", Pods: node}
}

// settings returns the keys of k3d's configuration for a program of a node, or for the node
// itself: arguments of k3s configure all of them.
func settings(program string) string {
	if program == "" {
		return "image or options.k3s.extraArgs"
	}
	return "options.k3s.extraArgs"
}

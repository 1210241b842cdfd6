package kind

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"sigs.k8s.io/kind/pkg/log"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/cause"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// ExportLogs writes what kind collects: the logs of each node, of its pods and of the engine. A
// file that cannot be collected contains the reason.
//
// kind uses docker's current engine, so ExportLogs returns ErrUnavailable if the cluster is on
// another one.
func (p *Provider) ExportLogs(ctx context.Context, ref providers.Ref, dir string) error {
	if _, err := containers().Own(docker.On(ctx, ref.Engine), ref); err != nil {
		return err
	}
	if err := docker.RequireCurrent(ctx, ref.Engine); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- tool(log.NoopLogger{}).CollectLogs(ref.Name, dir) }()
	select {
	case err := <-done:
		return unwritten(err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// logsOf returns where kind writes the logs of a node.
func logsOf(node string) cause.Node {
	return cause.Node{Output: node + "/serial.log", Journal: node + "/journal.log", Pods: node + "/pods"}
}

// settings returns the keys of kind's configuration for a program of a node.
func settings(program string) string {
	switch {
	case program == "containerd":
		return "containerdConfigPatches"
	case program == "kubeadm":
		return "kubeadmConfigPatches"
	case program == "kubelet":
		return "featureGates, or kubeadmConfigPatches of kind KubeletConfiguration,"
	case program == "etcd" || strings.HasPrefix(program, "kube-"):
		return "featureGates, runtimeConfig or kubeadmConfigPatches"
	}
	return ""
}

// unwritten returns those of kind's errors that are not in the files, which contain the output
// of commands that failed.
func unwritten(err error) error {
	if err == nil {
		return nil
	}
	for _, failed := range causes(err) {
		if path := (*fs.PathError)(nil); errors.As(failed, &path) {
			return failed
		}
	}
	return nil
}

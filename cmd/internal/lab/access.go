package lab

import "context"

// ClusterConfig returns the cluster's self-contained kubeconfig. It works on a
// stopped cluster too. Errors are those of [providers.Set.Kubeconfig].
func (l *Lab) ClusterConfig(ctx context.Context, name string) ([]byte, error) {
	h, err := l.usableHandle(ctx, name)
	if err != nil {
		return nil, err
	}
	return h.kubeconfig(ctx)
}

// ConfigFile returns a file with the cluster's own kubeconfig, which goes with the cluster.
func (l *Lab) ConfigFile(name string, config []byte) (string, error) {
	return l.State.Kubeconfig(name, config)
}

// KubectlCache is where kubectl may keep what it learnt of the cluster's API. In its
// usual place, below the home directory, it would stay when the cluster goes.
func (l *Lab) KubectlCache(name string) string { return l.State.Cache(name) }

// Use makes the cluster's context the current one in the user's kubeconfig, adding
// it where it is not there.
func (l *Lab) Use(ctx context.Context, name string) (Cluster, error) {
	return l.change(ctx, name, nil, func(h *handle) error { return l.publish(ctx, h, true) })
}

// ExportLogs writes the cluster's logs into dir, which exists. It works on half-made
// clusters too. Errors are those of [providers.Set.ExportLogs].
func (l *Lab) ExportLogs(ctx context.Context, name, dir string) error {
	r, err := l.find(ctx, name)
	if err != nil {
		return err
	}
	return l.Set.ExportLogs(ctx, refOf(r), dir)
}

package cli

import (
	"context"
	"os"

	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers"
)

// clientConfig returns the kubeconfig of a cluster for kubectl or helm. Its namespace is that of the cluster's context in
// the user's kubeconfig, which lab ns sets: kubectl and lab kubectl must show the same objects.
func (c *command) clientConfig(ctx context.Context, name string) ([]byte, error) {
	h, err := c.Inventory.OpenUsable(ctx, name)
	if err != nil {
		return nil, err
	}
	config, err := h.Kubeconfig(ctx)
	if err != nil {
		return nil, err
	}
	namespace := c.namespaceOf(h.Record.Context, h.Record.Identity)
	if namespace == "" {
		return config, nil
	}
	return withNamespace(config, h.Record.Context, namespace)
}

// namespaceOf returns the namespace of the context that lab added to the user's kubeconfig for a cluster, or "". A context
// of that name that belongs to another cluster does not count.
func (c *command) namespaceOf(context, identity string) string {
	files := c.Clusters.Kubeconfig
	namespace, found := namespaceIn(files.Paths, context)
	if !found || namespace == "" || identity == "" {
		return ""
	}
	if files.Clash(providers.Entries{Context: context}, context, identity) != nil {
		return ""
	}
	return namespace
}

// namespaceIn returns the namespace of a context. The first file that has the context counts, as in kubectl. Files that
// cannot be read are skipped, and so are pipes, which may never end.
func namespaceIn(paths []string, context string) (namespace string, found bool) {
	for _, path := range paths {
		var file struct {
			Contexts []struct {
				Name    string
				Context struct{ Namespace string }
			}
		}
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil || yaml.Unmarshal(data, &file) != nil {
			continue
		}
		for _, entry := range file.Contexts {
			if entry.Name == context {
				return entry.Context.Namespace, true
			}
		}
	}
	return "", false
}

// withNamespace returns a kubeconfig with the namespace of a context.
func withNamespace(config []byte, context, namespace string) ([]byte, error) {
	var file map[string]any
	if err := yaml.Unmarshal(config, &file); err != nil {
		return nil, err
	}
	entries, _ := file["contexts"].([]any)
	for _, item := range entries {
		entry, _ := item.(map[string]any)
		if fields, ok := entry["context"].(map[string]any); ok && entry["name"] == context {
			fields["namespace"] = namespace
		}
	}
	return yaml.Marshal(file)
}

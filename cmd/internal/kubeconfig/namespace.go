package kubeconfig

import (
	"context"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Namespace returns the namespace of the current context, or "default" where it has none.
// Errors: that of Current, and ErrNotFound where no context is current.
func (f Files) Namespace() (string, error) {
	_, item, err := f.currentItem()
	if err != nil {
		return "", err
	}
	fields, _ := item["context"].(map[string]any)
	if namespace, _ := fields["namespace"].(string); namespace != "" {
		return namespace, nil
	}
	return "default", nil
}

// SetNamespace gives the current context a namespace, whoever made it. Errors: those of
// Namespace, and of Merge.
func (f Files) SetNamespace(ctx context.Context, namespace string) error {
	d, item, err := f.currentItem()
	if err != nil {
		return err
	}
	current := item["name"]
	return f.update(ctx, d.path, func(d *document) error {
		// As it is by now, under the lock.
		var item map[string]any
		if node := d.find("contexts", current.(string)); node == nil || node.Decode(&item) != nil {
			return noContext(current.(string))
		}
		fields, _ := item["context"].(map[string]any)
		if fields == nil {
			fields = map[string]any{}
		}
		if fields["namespace"] == namespace {
			return nil
		}
		fields["namespace"] = namespace
		item["context"] = fields
		return d.put("contexts", item)
	})
}

// currentItem returns the current context, and the file that it is in.
func (f Files) currentItem() (*document, map[string]any, error) {
	docs, err := f.read(nil)
	if err != nil {
		return nil, nil, err
	}
	name := currentOf(docs)
	for _, d := range docs {
		var item map[string]any
		if node := d.find("contexts", name); node != nil && node.Decode(&item) == nil {
			return d, item, nil
		}
	}
	return nil, nil, noContext(name)
}

func noContext(name string) error {
	err := fault.Errorf(fault.ErrNotFound, "no context is current in the kubeconfig")
	if name != "" {
		err = fault.Errorf(fault.ErrNotFound, "the kubeconfig has no context %q, which is its current one", name)
	}
	return fault.WithHint(err, "lab use NAME makes that of a cluster the current one; lab list shows the clusters")
}

package helm

import (
	"context"
	"fmt"
	"reflect"

	"helm.sh/helm/v3/pkg/release"

	"github.com/clusterlab-dev/lab/addons"
)

// Preview implements [addons.Installer].
func (Installer) Preview(ctx context.Context, c addons.Cluster, r addons.Release) ([]addons.Change, error) {
	s, err := connect(ctx, c, r.Addon.In(), nil)
	if err != nil {
		return nil, err
	}
	last, err := s.last(r.Addon.Name)
	if err != nil {
		return nil, err
	}
	if last != nil && isCurrent(last, r) {
		return nil, nil
	}
	rendered, err := s.render(r)
	if err != nil {
		return nil, s.explain(ctx, fmt.Errorf("cannot render %s: %w", r.Addon.Name, err))
	}
	before := ""
	if last != nil {
		before = last.Manifest
	}
	return changes(before, rendered.Manifest, r.Addon.In()), nil
}

// render returns what Install would apply. It is an installation that changes nothing:
// an upgrade would want to have an older release.
func (s *session) render(r addons.Release) (*release.Release, error) {
	loaded, err := load(r.Chart)
	if err != nil {
		return nil, err
	}
	install := s.newInstall(r)
	install.DryRun, install.DryRunOption = true, "server"
	return install.Run(loaded, r.Values)
}

// changes compares two manifests, object by object, in the order of the new one.
func changes(before, after, namespace string) []addons.Change {
	old := map[addons.Object]map[string]any{}
	for _, doc := range documents(before) {
		old[nameOf(doc, namespace)] = doc
	}
	var list []addons.Change
	for _, doc := range documents(after) {
		name := nameOf(doc, namespace)
		was, there := old[name]
		delete(old, name)
		switch {
		case !there:
			list = append(list, addons.Change{Verb: "add", Object: name})
		case !reflect.DeepEqual(was, doc):
			list = append(list, addons.Change{Verb: "change", Object: name})
		}
	}
	for _, doc := range documents(before) {
		if name := nameOf(doc, namespace); old[name] != nil {
			list = append(list, addons.Change{Verb: "remove", Object: name})
		}
	}
	return list
}

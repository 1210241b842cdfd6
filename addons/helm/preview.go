package helm

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"helm.sh/helm/v3/pkg/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/clusterlab-dev/lab/addons"
)

// Preview implements [addons.Installer].
func (Installer) Preview(ctx context.Context, c addons.Cluster, r addons.Release) ([]addons.Change, error) {
	s, err := connect(ctx, c, r.Addon.In(), nil)
	if err != nil {
		return nil, err
	}
	last, err := s.releases().last(r.Addon.Name)
	if err != nil {
		return nil, err
	}
	if last != nil && isCurrent(last, r) {
		return nil, nil
	}
	rendered, err := s.releases().render(r)
	if err != nil {
		return nil, s.explain(ctx, fmt.Errorf("cannot render %s: %w", r.Addon.Name, err))
	}
	before := ""
	if last != nil {
		before = last.Manifest
	}
	return changes(before, rendered.Manifest, r.Addon.In()), nil
}

// render returns the release that Install would apply. It is a dry run of an installation, because
// a dry run of an upgrade requires an older release.
func (rs releases) render(r addons.Release) (*release.Release, error) {
	loaded, err := loadSafe(r)
	if err != nil {
		return nil, err
	}
	install := rs.newInstall(r)
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

// Stale implements [addons.Installer].
func (Installer) Stale(ctx context.Context, c addons.Cluster, r addons.Release) (string, error) {
	s, err := connect(ctx, c, r.Addon.In(), nil)
	if err != nil {
		return "", err
	}
	last, err := s.releases().last(r.Addon.Name)
	switch {
	case err != nil:
		return "", s.explain(ctx, err)
	case last == nil:
		return "it is not installed", nil
	case last.Info.Status != release.StatusDeployed:
		return "its last installation did not finish", nil
	case !isCurrent(last, r):
		return "its chart or its values have changed", nil
	}
	return s.releases().missing(last), ctx.Err()
}

// missing names an object of a release that no longer exists, or returns "". Another
// program may have deleted it, and an installation would create it again.
func (rs releases) missing(rel *release.Release) string {
	infos, err := rs.client.Build(strings.NewReader(rel.Manifest), false)
	if err != nil {
		return err.Error() // for example, a kind was deleted
	}
	for _, info := range infos {
		_, err := resource.NewHelper(info.Client, info.Mapping).Get(info.Namespace, info.Name)
		if apierrors.IsNotFound(err) {
			return info.Mapping.GroupVersionKind.Kind + " " + info.Name + " is missing"
		}
	}
	return ""
}

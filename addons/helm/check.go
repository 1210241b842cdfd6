package helm

import (
	"context"
	"strings"

	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Check implements [addons.Installer]. It ignores errors of executing templates, because they
// may depend on the cluster.
func (Installer) Check(r addons.Release) error {
	loaded, err := load(r.Chart)
	if err != nil {
		return err
	}
	values := r.Values.Copy()
	if err := chartutil.ProcessDependenciesWithMerge(loaded, chartutil.Values(values)); err != nil {
		return fault.Errorf(fault.ErrInvalid, "invalid chart: %w", err)
	}
	options := chartutil.ReleaseOptions{Name: r.Addon.Name, Namespace: r.Addon.In(), Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(loaded, values, options, nil)
	if err != nil {
		return fault.Errorf(fault.ErrInvalid, "%w", err)
	}
	if _, err := engine.Render(loaded, all); err != nil && strings.HasPrefix(err.Error(), "parse error") {
		return fault.Errorf(fault.ErrInvalid, "%w", err)
	}
	return nil
}

// Stale implements [addons.Installer].
func (Installer) Stale(ctx context.Context, c addons.Cluster, r addons.Release) (string, error) {
	s, err := connect(ctx, c, r.Addon.In(), nil)
	if err != nil {
		return "", err
	}
	last, err := s.last(r.Addon.Name)
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
	return s.missing(last), ctx.Err()
}

// missing names an object of a release that no longer exists, or returns "". Another
// program may have deleted it, and an installation would create it again.
func (s *session) missing(rel *release.Release) string {
	infos, err := s.client.Build(strings.NewReader(rel.Manifest), false)
	if err != nil {
		return err.Error() // a kind of it has gone, for example
	}
	for _, info := range infos {
		_, err := resource.NewHelper(info.Client, info.Mapping).Get(info.Namespace, info.Name)
		if apierrors.IsNotFound(err) {
			return info.Mapping.GroupVersionKind.Kind + " " + info.Name + " is missing"
		}
	}
	return ""
}

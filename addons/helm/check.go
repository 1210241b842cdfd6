package helm

import (
	"errors"
	"path"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"k8s.io/client-go/dynamic"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Check implements [addons.Installer].
func (Installer) Check(r addons.Release, kubernetes string) error {
	loaded, err := loadSafe(r)
	if err != nil {
		return err
	}
	if _, err := unownedOf(r); err != nil {
		return err
	}
	version, _ := chartutil.ParseKubeVersion(kubernetes) // nil if it is unknown
	values := r.Values.Copy()
	if err := chartutil.ProcessDependenciesWithMerge(loaded, chartutil.Values(values)); err != nil {
		return fault.Errorf(fault.ErrInvalid, "invalid chart: %w", err)
	}
	capabilities := chartutil.DefaultCapabilities.Copy()
	if version != nil {
		capabilities.KubeVersion = *version
	}
	options := chartutil.ReleaseOptions{Name: r.Addon.Name, Namespace: r.Addon.In(), Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(loaded, values, options, capabilities)
	if err != nil {
		return fault.Errorf(fault.ErrInvalid, "%w", err)
	}
	if needs := loaded.Metadata.KubeVersion; needs != "" && version != nil && !chartutil.IsCompatibleRange(needs, version.Version) {
		err := fault.Errorf(fault.ErrInvalid, "chart requires kubeVersion: %s which is incompatible with Kubernetes %s", needs, version)
		return fault.WithHint(err, otherVersion)
	}
	_, err = engine.Render(loaded, all)
	switch {
	case err == nil:
		return nil
	case strings.HasPrefix(err.Error(), "parse error"):
		return fault.Errorf(fault.ErrInvalid, "%w", err)
	case failsAnywhere(loaded, all, version, err):
		return fault.WithHint(fault.Errorf(fault.ErrInvalid, "%w", err), "correct the values of the addon in the file, or with --set %s.PATH=VALUE", r.Addon.Name)
	}
	return nil
}

// failsAnywhere reports whether the template of a failure fails with the same error in every cluster, and at every
// revision of the release. It renders the template again, and each question about these is another error then. It
// changes c and values.
func failsAnywhere(c *chart.Chart, values chartutil.Values, version *chartutil.KubeVersion, failure error) bool {
	isolate(c, failing(c, failure.Error()))
	options, _ := values["Release"].(map[string]any)
	values["Release"] = unknownRelease{Name: options["Name"], Namespace: options["Namespace"], Service: options["Service"]}
	values["Capabilities"] = unknownCluster{HelmVersion: chartutil.DefaultCapabilities.HelmVersion, version: version}
	_, err := engine.RenderWithClientProvider(c, values, unknownCluster{})
	return err != nil && err.Error() == failure.Error()
}

// failing returns the path of the template that an error names first, or "".
func failing(c *chart.Chart, text string) string {
	found := ""
	for _, t := range c.Templates {
		if name := path.Join(c.ChartFullPath(), t.Name); isBefore(text, name, found) {
			found = name
		}
	}
	for _, dependency := range c.Dependencies() {
		if name := failing(dependency, text); name != "" && isBefore(text, name, found) {
			found = name
		}
	}
	return found
}

// isBefore reports whether a text contains name, followed by the number of a line, before other. "" is not in any text.
func isBefore(text, name, other string) bool {
	i := strings.Index(text, name+":")
	return i >= 0 && (other == "" || i < strings.Index(text, other+":"))
}

// isolate turns all templates except one into partials, which are not rendered and may define what the one includes.
func isolate(c *chart.Chart, only string) {
	for _, t := range c.Templates {
		if path.Join(c.ChartFullPath(), t.Name) != only {
			t.Name = path.Join(path.Dir(t.Name), "_"+path.Base(t.Name))
		}
	}
	for _, dependency := range c.Dependencies() {
		isolate(dependency, only)
	}
}

// errUnknown is the answer to a question that only a cluster or a release can answer.
var errUnknown = errors.New("unknown before the installation")

// unknownRelease is the release for templates, before it is known whether it exists.
type unknownRelease struct{ Name, Namespace, Service any }

// IsInstall is a question about the release.
func (unknownRelease) IsInstall() (bool, error) { return false, errUnknown }

// IsUpgrade is a question about the release.
func (unknownRelease) IsUpgrade() (bool, error) { return false, errUnknown }

// Revision is a question about the release.
func (unknownRelease) Revision() (int, error) { return 0, errUnknown }

// unknownCluster is the properties of a cluster for templates, and the provider of the function lookup, before the
// cluster exists.
type unknownCluster struct {
	HelmVersion any
	version     *chartutil.KubeVersion // nil if it is unknown
}

// KubeVersion returns the version of the cluster, if it is known.
func (u unknownCluster) KubeVersion() (*chartutil.KubeVersion, error) {
	if u.version == nil {
		return nil, errUnknown
	}
	return u.version, nil
}

// APIVersions is a question about the cluster.
func (unknownCluster) APIVersions() (chartutil.VersionSet, error) { return nil, errUnknown }

// GetClientFor implements the interface of Helm for the function lookup.
func (unknownCluster) GetClientFor(_, _ string) (dynamic.NamespaceableResourceInterface, bool, error) {
	return nil, false, errUnknown
}

package helm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/release"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers"
)

const (
	// inputsLabel is on each release that lab installs: a digest of all that it was made
	// from. Comparing that and not what was rendered tells for charts with random values,
	// too, that nothing is to do.
	inputsLabel = "clusterlab.dev/inputs"

	// addonLabel is on all else that lab makes for an addon.
	addonLabel = "clusterlab.dev/addon"
)

// inputs is a digest of all that a release is made from.
func inputs(c addons.Cluster, r addons.Release) string {
	// Maps are written in the order of their keys, so equal values are equal text.
	values, err := json.Marshal(r.Values)
	if err != nil {
		values = fmt.Append(nil, r.Values)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%t\n%s", r.Chart.Digest, c.Traits.RunsPods, values))
	return hex.EncodeToString(sum[:16]) // a label has room for no more than 63 characters
}

// isCurrent tells whether a release was completely made from the same.
func isCurrent(rel *release.Release, c addons.Cluster, r addons.Release) bool {
	return rel.Info.Status == release.StatusDeployed && rel.Labels[inputsLabel] == inputs(c, r)
}

// load reads a chart, which each use of Helm's changes.
func load(a addons.Archive) (*chart.Chart, error) {
	loaded, err := loader.LoadArchive(bytes.NewReader(a.Data))
	if err != nil {
		return nil, providers.Errorf(providers.ErrInvalid, "read the chart: %w", err)
	}
	if err := loaded.Validate(); err != nil {
		return nil, providers.Errorf(providers.ErrInvalid, "the chart: %w", err)
	}
	for _, d := range loaded.Metadata.Dependencies {
		if !hasDependency(loaded, d.Name) {
			err := providers.Errorf(providers.ErrInvalid, "the chart lacks what it depends on: %s", d.Name)
			return nil, providers.WithHint(err, "helm dependency build DIR brings it")
		}
	}
	return loaded, nil
}

// hasDependency: one that is switched off may be missing, and is told by Helm itself.
func hasDependency(c *chart.Chart, name string) bool {
	for _, d := range c.Dependencies() {
		if d.Name() == name {
			return true
		}
	}
	return false
}

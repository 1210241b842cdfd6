package helm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/release"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
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
func inputs(r addons.Release) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s", r.Chart.Digest, r.Values.Canonical()))
	return hex.EncodeToString(sum[:16]) // a label has room for no more than 63 characters
}

// isCurrent tells whether a release was completely made from the same.
func isCurrent(rel *release.Release, r addons.Release) bool {
	return rel.Info.Status == release.StatusDeployed && rel.Labels[inputsLabel] == inputs(r)
}

// load reads a chart, which each use of Helm's changes.
func load(a addons.Archive) (*chart.Chart, error) {
	loaded, err := loader.LoadArchive(bytes.NewReader(a.Data))
	if err != nil {
		return nil, fault.Errorf(fault.ErrInvalid, "cannot read the chart: %w", err)
	}
	if err := loaded.Validate(); err != nil {
		return nil, fault.Errorf(fault.ErrInvalid, "invalid chart: %w", err)
	}
	return loaded, nil
}

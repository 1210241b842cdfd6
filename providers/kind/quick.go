package kind

import (
	"context"
	"slices"
	"strings"

	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// stepControlPlane is the name of the step in which kind runs kubeadm.
const stepControlPlane = "Starting control-plane"

// The patches that make a creation faster, and the cluster no less real. The patches of the
// user follow them, so they override them.
const (
	// patchKeys uses keys that take a tenth of the time to create and to sign with. Versions
	// of kubeadm before 1.31 do not know the setting, and ignore it with a warning.
	patchKeys = `kind: ClusterConfiguration
encryptionAlgorithm: ECDSA-P256
`
	// patchNoElection is for one control plane, whose components have no other to elect. After
	// a stop they would wait until the lease of their predecessor ends.
	patchNoElection = `kind: ClusterConfiguration
controllerManager:
  extraArgs:
    leader-elect: "false"
scheduler:
  extraArgs:
    leader-elect: "false"
`
	// patchPulls has the kubelet pull several images at a time.
	patchPulls = `kind: KubeletConfiguration
serializeImagePulls: false
`
)

// quicken adds the settings that make a creation faster. A configuration with JSON patches for
// kubeadm stays as it is: these patches name items of lists by their positions.
func quicken(c *v1alpha4.Cluster) {
	if len(c.KubeadmConfigPatchesJSON6902) > 0 ||
		slices.ContainsFunc(c.Nodes, func(n v1alpha4.Node) bool { return len(n.KubeadmConfigPatchesJSON6902) > 0 }) {
		return
	}
	patches := []string{patchKeys, patchPulls}
	if controlPlanes(c.Nodes) == 1 {
		patches = append(patches, patchNoElection)
	}
	c.KubeadmConfigPatches = slices.Concat(patches, c.KubeadmConfigPatches)
}

// quickDNS makes DNS ready earlier, unless the user's configuration has no DNS or changes it.
// It is called when kubeadm has created the Deployment. A failure only means that DNS takes
// longer.
func quickDNS(ctx context.Context, c *v1alpha4.Cluster) {
	own := func(patches []string) bool {
		return slices.ContainsFunc(patches, func(p string) bool { return strings.Contains(p, "patches") })
	}
	if without(c).DNS || own(c.KubeadmConfigPatches) || slices.ContainsFunc(c.Nodes, func(n v1alpha4.Node) bool { return own(n.KubeadmConfigPatches) }) {
		return
	}
	_ = nodes.QuickDNS(ctx, firstOf(c), len(c.Nodes), "kubectl", "--kubeconfig="+adminFile)
}

// firstOf returns the container in which kind runs kubeadm init.
func firstOf(c *v1alpha4.Cluster) string { return c.Name + "-" + string(v1alpha4.ControlPlaneRole) }

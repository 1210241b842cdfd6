package kind

import (
	"slices"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
)

// TestQuicken checks that the settings of the user override those of lab, and that lab adds
// none next to patches that name items of lists by position.
func TestQuicken(t *testing.T) {
	t.Parallel()
	const own = "kind: ClusterConfiguration\nencryptionAlgorithm: RSA-2048\n"
	const positions = "kubeadmConfigPatchesJSON6902: [{kind: ClusterConfiguration, group: kubeadm.k8s.io, version: v1beta4, patch: x}]"
	for what, tt := range map[string]struct {
		native        string
		controlPlanes int
		want          []string
	}{
		"one control plane":     {"", 1, []string{patchKeys, patchPulls, patchNoElection}},
		"three control planes":  {"", 3, []string{patchKeys, patchPulls}},
		"a patch of the user":   {"kubeadmConfigPatches: [\"kind: ClusterConfiguration\\nencryptionAlgorithm: RSA-2048\\n\"]", 1, []string{patchKeys, patchPulls, patchNoElection, own}},
		"positions":             {positions, 1, nil},
		"positions of one node": {"nodes: [{" + positions + "}]", 1, nil},
	} {
		spec := providers.Spec{Name: "lab", ControlPlanes: tt.controlPlanes}
		if tt.native != "" {
			spec.Native = []byte(nativeHead + tt.native)
		}
		config, err := configFor(spec.WithDefaults(), standard)
		if err != nil {
			t.Fatal(err)
		}
		quicken(config)
		if !slices.Equal(config.KubeadmConfigPatches, tt.want) {
			t.Errorf("%s: %q, want %q", what, config.KubeadmConfigPatches, tt.want)
		}
	}
}

// TestEndOfKubeadm checks that the end of kind's step is recognized, and not after the creation.
func TestEndOfKubeadm(t *testing.T) {
	t.Parallel()
	var ended []string
	s := &steps{ended: func(step string) { ended = append(ended, step) }}
	s.Info(" • Starting control-plane 🕹️  ...\n")
	if len(ended) > 0 {
		t.Errorf("%q ended before it was done", ended)
	}
	s.Info(" ✓ Starting control-plane 🕹️\n")
	s.close(nil)
	s.Info(" ✓ Installing CNI 🔌\n")
	if !slices.Equal(ended, []string{stepControlPlane}) {
		t.Errorf("%q ended, want %q", ended, stepControlPlane)
	}
}

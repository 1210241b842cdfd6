package kind

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// The kind and apiVersion of kind's own configuration.
const (
	nativeKind    = "Cluster"
	nativeVersion = "kind.x-k8s.io/v1alpha4"
)

// parseNative parses kind's own configuration as strictly as kind does, and gives every node a
// role. It returns an empty one for no text, and ErrInvalid.
func parseNative(text []byte) (*v1alpha4.Cluster, error) {
	c := &v1alpha4.Cluster{}
	if len(bytes.TrimSpace(text)) == 0 {
		return c, nil
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return nil, invalid("%w", err)
	}
	if c.Kind != nativeKind || c.APIVersion != nativeVersion {
		return nil, invalid("kind is %q and apiVersion is %q, want %q and %q", c.Kind, c.APIVersion, nativeKind, nativeVersion)
	}
	for i := range c.Nodes {
		switch n := &c.Nodes[i]; n.Role {
		case "":
			n.Role = v1alpha4.ControlPlaneRole
		case v1alpha4.ControlPlaneRole, v1alpha4.WorkerRole:
		default:
			return nil, invalid("node %d has the unknown role %q", i+1, n.Role)
		}
	}
	return c, nil
}

// namedIn returns the name of the cluster in kind's own configuration, or "".
func namedIn(native []byte) string {
	c, err := parseNative(native)
	if err != nil {
		return ""
	}
	return c.Name
}

// Localize makes the relative paths of mounts absolute, relative to the directory of the file
// instead of the working directory.
func (*Provider) Localize(text []byte, dir string) []byte {
	return nodes.ChangeFields(text, nodes.Field{Keys: []string{"nodes", "extraMounts", "hostPath"}, Change: nodes.Absolute(dir)})
}

// sources returns the files and directories of this machine that a configuration mounts. It
// omits the source of the mark, which kind itself mounts from the machine of the engine: that
// may be a virtual machine, and the path need not exist here.
func sources(c *v1alpha4.Cluster) []string {
	var all []string
	for _, n := range c.Nodes {
		for _, m := range n.ExtraMounts {
			if m.HostPath != markedWith {
				all = append(all, m.HostPath)
			}
		}
	}
	return all
}

// sameNodes returns ErrInvalid if the nodes of native differ from the requested numbers. One
// control plane and no workers are the defaults, so they count as not requested.
func sameNodes(spec providers.Spec, native []v1alpha4.Node) error {
	has := controlPlanes(native)
	workers := len(native) - has
	switch {
	case has == 0:
		return invalid("it has no node with the role control-plane")
	case spec.ControlPlanes > 1 && spec.ControlPlanes != has:
		return conflict("it has %d control planes, but %d are requested", has, spec.ControlPlanes)
	case spec.Workers > 0 && spec.Workers != workers:
		return conflict("it has %d workers, but %d are requested", workers, spec.Workers)
	}
	return nil
}

// without returns what kind's own configuration leaves out, by a setting of kind or by phases
// of kubeadm that a patch skips.
func without(c *v1alpha4.Cluster) providers.Without {
	patches := slices.Clone(c.KubeadmConfigPatches)
	for _, n := range c.Nodes {
		patches = append(patches, n.KubeadmConfigPatches...)
	}
	skips := func(phase string) bool {
		return slices.ContainsFunc(patches, func(patch string) bool {
			return strings.Contains(patch, "skipPhases") && strings.Contains(patch, phase)
		})
	}
	return providers.Without{
		CNI:       c.Networking.DisableDefaultCNI,
		KubeProxy: c.Networking.KubeProxyMode == "none" || skips("addon/kube-proxy"),
		DNS:       skips("addon/coredns"),
	}
}

func invalid(format string, a ...any) error {
	err := fault.Errorf(fault.ErrInvalid, "the configuration for kind: %w", fmt.Errorf(format, a...))
	return fault.WithHint(err, "see https://kind.sigs.k8s.io/docs/user/configuration/")
}

// conflict returns the error of a configuration for kind that differs from the rest of the
// spec.
func conflict(format string, a ...any) error {
	err := fault.Errorf(fault.ErrInvalid, "the configuration for kind conflicts with the flags or the lab file: %w", fmt.Errorf(format, a...))
	return fault.WithHint(err, "set it in one place only")
}

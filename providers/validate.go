package providers

import (
	"errors"
	"fmt"
	"net/netip"
	"path"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// MaxNodes bounds each of ControlPlanes and Workers. Kubernetes itself is tested
// to 5,000 nodes a cluster (kubernetes.io, "Considerations for large clusters").
const MaxNodes = 5000

// WithDefaults returns s with its zero values replaced by what they mean for every
// flavor, and the Kubernetes version with a leading "v". A text that is not a version stays as
// it is, so that errors quote what the user typed.
func (s Spec) WithDefaults() Spec {
	if s.ControlPlanes == 0 {
		s.ControlPlanes = 1
	}
	if v := "v" + s.KubernetesVersion; isVersion(v) {
		s.KubernetesVersion = v
	}
	return s
}

// Validate returns nil if s can be asked of some flavor. Otherwise it returns
// ErrInvalid and names every problem, one a line. It touches nothing.
func (s Spec) Validate() error {
	if err := ValidateName(s.Name); err != nil {
		return err
	}
	var problems []error
	for _, nodes := range []struct {
		role string
		n    int
	}{{"control planes", s.ControlPlanes}, {"workers", s.Workers}} {
		if nodes.n < 0 || nodes.n > MaxNodes {
			problems = append(problems, fmt.Errorf("%d %s: must be between 0 and %d", nodes.n, nodes.role, MaxNodes))
		}
	}
	if s.KubernetesVersion != "" && !isVersion(s.KubernetesVersion) {
		problems = append(problems, fmt.Errorf("kubernetes version %q: must look like v1.37.2, v1.37 or latest", s.KubernetesVersion))
	}
	problems = append(problems, portProblems(s.Ports)...)
	for _, m := range s.Mounts {
		if m.Host == "" || !path.IsAbs(m.Node) {
			problems = append(problems, fmt.Errorf("mount %q to %q: must be a host directory and an absolute path in the node", m.Host, m.Node))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return fault.Errorf(fault.ErrInvalid, "%w", errors.Join(problems...))
}

func portProblems(ports []Port) []error {
	var problems []error
	seen := map[string]bool{}
	for _, p := range ports {
		switch {
		case !isPort(p.Host) || !isPort(p.Container):
			problems = append(problems, fmt.Errorf("port %s: must be between 1 and 65535", p))
		case p.Protocol != "" && p.Protocol != "tcp" && p.Protocol != "udp" && p.Protocol != "sctp":
			problems = append(problems, fmt.Errorf("port %s: the protocol must be tcp, udp or sctp", p))
		case !isAddress(p.Address):
			problems = append(problems, fmt.Errorf("port %s: %q is not an IP address of this machine", p, p.Address))
		case seen[p.hostKey()]:
			problems = append(problems, fmt.Errorf("port %s: host port %d is published twice", p, p.Host))
		}
		seen[p.hostKey()] = true
	}
	return problems
}

func isPort(n int) bool { return n >= 1 && n <= 65535 }

func isAddress(s string) bool {
	_, err := netip.ParseAddr(s)
	return s == "" || err == nil
}

// hostKey is the same for two ports that cannot both be published.
func (p Port) hostKey() string {
	address, protocol := p.Address, p.Protocol
	if address == "" {
		address = "127.0.0.1"
	}
	if protocol == "" {
		protocol = "tcp"
	}
	return fmt.Sprintf("%s/%d/%s", address, p.Host, protocol)
}

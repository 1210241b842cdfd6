package kind

import (
	"fmt"
	"strconv"
	"strings"

	"sigs.k8s.io/kind/pkg/apis/config/defaults"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	// balancerImage is kind's image of the load balancer in front of several control planes.
	// kind has no setting for it.
	balancerImage = "docker.io/envoyproxy/envoy:v1.36.2"

	// maxNodes is the limit of a Linux bridge, which a Docker network is.
	maxNodes = 1000

	// markInNode is the directory of the mark in a node: the name of a mount point in it is the
	// mark, because kind has no setting for labels. The mounted directory does not matter, and
	// is one that kind itself mounts.
	markInNode = "/kind/lab/"
	markedWith = "/lib/modules"

	// caInNode is in the directory whose certificates all programs in a node trust.
	caInNode = "/etc/ssl/certs/lab-ca.pem"

	loopback = "127.0.0.1"
)

// The patches for kubeadm's configuration. Without an apiVersion, kind accepts maps of
// arguments for every version of kubeadm.
const (
	// patchCgroupV1 has the kubelet accept cgroup v1, which it rejects by default from 1.35 on.
	patchCgroupV1 = `kind: KubeletConfiguration
failCgroupV1: false
`
	patchControlPlaneMetrics = `kind: ClusterConfiguration
controllerManager:
  extraArgs:
    bind-address: 0.0.0.0
scheduler:
  extraArgs:
    bind-address: 0.0.0.0
etcd:
  local:
    extraArgs:
      listen-metrics-urls: http://0.0.0.0:2381
`
	// patchMirrors has containerd, version 2 or 1, read the directory of mirrors; newer ones do
	// so by default.
	patchMirrors = `[plugins.'io.containerd.cri.v1.images'.registry]
config_path = '/etc/containerd/certs.d'
[plugins.'io.containerd.grpc.v1.cri'.registry]
config_path = '/etc/containerd/certs.d'
`
	patchUnsyncedEtcd = `kind: ClusterConfiguration
etcd:
  local:
    extraArgs:
      unsafe-no-fsync: "true"
`
	patchProxyMetrics = `kind: KubeProxyConfiguration
metricsBindAddress: 0.0.0.0:10249
`
)

// configFor translates spec into kind's configuration. image is the node image if spec names
// none. It returns ErrInvalid or ErrUnsupported, and has no side effects.
func configFor(spec providers.Spec, image string) (*v1alpha4.Cluster, error) {
	if spec.Driver != "" {
		err := fault.Errorf(fault.ErrUnsupported, "kind does not support drivers, such as %q", spec.Driver)
		return nil, fault.WithHint(err, "remove the driver, or use --flavor minikube")
	}
	c, err := parseNative(spec.Native)
	if err != nil {
		return nil, err
	}
	c.Kind, c.APIVersion, c.Name = nativeKind, nativeVersion, spec.Name
	if c.Nodes, err = nodesFor(spec, c.Nodes); err != nil {
		return nil, err
	}
	if err := setImages(c, spec, image); err != nil {
		return nil, err
	}
	if err := addMounts(c, spec); err != nil {
		return nil, err
	}
	if err := addPorts(c, spec.Ports); err != nil {
		return nil, err
	}
	if spec.Wants.ControlPlaneMetrics {
		c.KubeadmConfigPatches = append(c.KubeadmConfigPatches, patchControlPlaneMetrics, patchProxyMetrics)
	}
	if spec.Wants.UnsyncedEtcd {
		c.KubeadmConfigPatches = append(c.KubeadmConfigPatches, patchUnsyncedEtcd)
	}
	return c, nil
}

// nodesFor returns the nodes: those of native if it has any.
func nodesFor(spec providers.Spec, native []v1alpha4.Node) ([]v1alpha4.Node, error) {
	if len(native) > 0 {
		return native, sameNodes(spec, native)
	}
	if n := spec.ControlPlanes + spec.Workers; n > maxNodes {
		err := fault.Errorf(fault.ErrUnsupported, "%d nodes are more than a Docker network supports", n)
		return nil, fault.WithHint(err, "use at most %d nodes, or use --flavor kwok", maxNodes)
	}
	var nodes []v1alpha4.Node
	for range max(spec.ControlPlanes, 1) {
		nodes = append(nodes, v1alpha4.Node{Role: v1alpha4.ControlPlaneRole})
	}
	for range spec.Workers {
		nodes = append(nodes, v1alpha4.Node{Role: v1alpha4.WorkerRole})
	}
	return nodes, nil
}

// addMounts adds the mounts, the certificate authority and the mark to every node.
func addMounts(c *v1alpha4.Cluster, spec providers.Spec) error {
	mounts := spec.Mounts
	if spec.CAFile != "" {
		mounts = append([]providers.Mount{{Host: spec.CAFile, Node: caInNode, ReadOnly: true}}, mounts...)
	}
	if spec.Mark != "" {
		mounts = append([]providers.Mount{{Host: markedWith, Node: markInNode + spec.Mark, ReadOnly: true}}, mounts...)
	}
	for i := range c.Nodes {
		taken := map[string]string{}
		for _, m := range c.Nodes[i].ExtraMounts {
			taken[m.ContainerPath] = m.HostPath
		}
		for _, m := range mounts {
			if host, ok := taken[m.Node]; ok && host != m.Host {
				return conflict("node %d mounts %s at %s, where %s is requested", i+1, host, m.Node, m.Host)
			} else if !ok {
				c.Nodes[i].ExtraMounts = append(c.Nodes[i].ExtraMounts,
					v1alpha4.Mount{HostPath: m.Host, ContainerPath: m.Node, Readonly: m.ReadOnly})
			}
			taken[m.Node] = m.Host
		}
	}
	return nil
}

// addPorts publishes the ports at the first control plane. It also restricts ports of native
// without an address to the loopback, which kind would publish on all addresses.
func addPorts(c *v1alpha4.Cluster, ports []providers.Port) error {
	taken := map[string]bool{}
	for i := range c.Nodes {
		for j := range c.Nodes[i].ExtraPortMappings {
			m := &c.Nodes[i].ExtraPortMappings[j]
			if m.ListenAddress == "" {
				m.ListenAddress = loopback
			}
			taken[portKey(*m)] = true
		}
	}
	first := firstControlPlane(c)
	for _, p := range ports {
		m := v1alpha4.PortMapping{
			ContainerPort: int32(p.Container), HostPort: int32(p.Host), ListenAddress: p.Address,
			Protocol: v1alpha4.PortMappingProtocol(strings.ToUpper(p.Protocol)),
		}
		if m.ListenAddress == "" {
			m.ListenAddress = loopback
		}
		if taken[portKey(m)] {
			return conflict("host port %d is already published in it", p.Host)
		}
		first.ExtraPortMappings = append(first.ExtraPortMappings, m)
	}
	return nil
}

func portKey(m v1alpha4.PortMapping) string {
	protocol := m.Protocol
	if protocol == "" {
		protocol = v1alpha4.PortMappingProtocolTCP
	}
	return fmt.Sprintf("%s/%d/%s", m.ListenAddress, m.HostPort, protocol)
}

// namesOf returns the names that kind gives to the containers.
func namesOf(c *v1alpha4.Cluster) []string {
	var names []string
	count := map[v1alpha4.NodeRole]int{}
	for _, n := range c.Nodes {
		count[n.Role]++
		name := c.Name + "-" + string(n.Role)
		if count[n.Role] > 1 {
			name += strconv.Itoa(count[n.Role])
		}
		names = append(names, name)
	}
	if controlPlanes(c.Nodes) > 1 {
		names = append(names, c.Name+"-"+roleBalancer)
	}
	return names
}

func firstControlPlane(c *v1alpha4.Cluster) *v1alpha4.Node {
	for i := range c.Nodes {
		if c.Nodes[i].Role == v1alpha4.ControlPlaneRole {
			return &c.Nodes[i]
		}
	}
	return &v1alpha4.Node{Image: defaults.Image} // never: sameNodes requires one
}

func controlPlanes(nodes []v1alpha4.Node) int {
	n := 0
	for _, node := range nodes {
		if node.Role == v1alpha4.ControlPlaneRole {
			n++
		}
	}
	return n
}

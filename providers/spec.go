package providers

import (
	"fmt"
	"strings"
)

// Spec is what a person asks of a new cluster. The zero value of every field but
// Name means the flavor's default.
type Spec struct {
	Name              string  `json:"name"`
	KubernetesVersion string  `json:"kubernetesVersion,omitempty"` // "v1.37.2"
	NodeImage         string  `json:"nodeImage,omitempty"`         // overrides KubernetesVersion where the flavor has node images
	ControlPlanes     int     `json:"controlPlanes,omitempty"`     // 0 means 1
	Workers           int     `json:"workers,omitempty"`
	Ports             []Port  `json:"ports,omitempty"`
	Mounts            []Mount `json:"mounts,omitempty"`
	Driver            string  `json:"driver,omitempty"` // of flavors that have drivers
	CAFile            string  `json:"caFile,omitempty"` // PEM; trusted by nodes when they pull images
	Native            []byte  `json:"native,omitempty"` // the tool's own configuration, merged underneath this spec
	NativeDir         string  `json:"-"`                // the directory of its file; "" where it does not depend on one, see [Localizer]
	Wants             Wants   `json:"wants,omitzero"`

	// Mark is a UUID that the cluster bears from its first part on, so that what a creation
	// that was cut short has left can be told from what somebody else made under its name.
	Mark string `json:"mark,omitempty"`

	// Offline makes [Provider].Check pass, instead of asking a registry, where the node image
	// is not on this machine: it returns [NotLocal]. It is not remembered with the cluster.
	Offline bool `json:"-"`

	// LogsDir is where a creation that fails saves the logs of the nodes that it removes, in
	// a directory of their own; "" is the system's directory for temporary files. It is of
	// this creation alone, and not remembered with the cluster.
	LogsDir string `json:"-"`
}

// Port publishes a port of the cluster on the host.
type Port struct {
	Address   string `json:"address,omitempty"` // host address; "" means 127.0.0.1
	Host      int    `json:"host"`
	Container int    `json:"container"`
	Protocol  string `json:"protocol,omitempty"` // "tcp", "udp" or "sctp"; "" means tcp
}

// String is the port as --port takes it.
func (p Port) String() string {
	s := fmt.Sprintf("%d:%d", p.Host, p.Container)
	switch {
	case strings.Contains(p.Address, ":"): // IPv6
		s = "[" + p.Address + "]:" + s
	case p.Address != "":
		s = p.Address + ":" + s
	}
	if p.Protocol != "" && p.Protocol != "tcp" {
		s += "/" + p.Protocol
	}
	return s
}

// Mount makes a directory of the host visible in every node.
type Mount struct {
	Host     string `json:"host"`
	Node     string `json:"node"`
	ReadOnly bool   `json:"readOnly,omitempty"`
}

// String is the mount as --mount takes it.
func (m Mount) String() string {
	if m.ReadOnly {
		return m.Host + ":" + m.Node + ":ro"
	}
	return m.Host + ":" + m.Node
}

// Wants is what a lab asks of the cluster when it is created, for its addons or for
// speed, because it cannot be had afterwards. A flavor that cannot do it does without.
type Wants struct {
	ControlPlaneMetrics bool `json:"controlPlaneMetrics,omitempty"` // scrapeable from inside the cluster
	NoIngress           bool `json:"noIngress,omitempty"`           // leave out the flavor's bundled ingress
	NoMetricsServer     bool `json:"noMetricsServer,omitempty"`     // leave out the flavor's bundled metrics-server
	UnsyncedEtcd        bool `json:"unsyncedEtcd,omitempty"`        // etcd's writes stay in memory until the kernel puts them on the disk
}

// Traits are the facts about a cluster on which addon values depend. Addons never
// ask which flavor made a cluster; they ask this.
type Traits struct {
	RunsPods            bool         `json:"runsPods"`                      // false: nodes and pods are simulated
	HostPorts           HostPorts    `json:"hostPorts,omitempty"`           // how a published port reaches a pod
	LoadBalancer        LoadBalancer `json:"loadBalancer,omitempty"`        // who serves Services of type LoadBalancer
	ControlPlaneMetrics []string     `json:"controlPlaneMetrics,omitempty"` // scrape targets that answer, e.g. "etcd"
	Ingress             bool         `json:"ingress,omitempty"`             // an ingress controller is bundled and present
	MetricsServer       bool         `json:"metricsServer,omitempty"`       // likewise
	Without             Without      `json:"without,omitzero"`              // what the tool's own configuration leaves out
}

// Without names components that every cluster has unless the configuration of its tool leaves
// them out. lab does not wait for these: the user installs a replacement later, or needs none.
type Without struct {
	CNI       bool `json:"cni,omitempty"`       // no network plugin: nodes are not ready until one is installed
	KubeProxy bool `json:"kubeProxy,omitempty"` // no Service has an address that works
	DNS       bool `json:"dns,omitempty"`       // pods resolve no names of the cluster
}

// HostPorts says how a port published on the host reaches the cluster.
type HostPorts string

// The ways a host port can reach a pod; "" means that none does.
const (
	HostPortsNode         HostPorts = "node"         // it ends at one node: a pod with that hostPort gets it
	HostPortsLoadBalancer HostPorts = "loadBalancer" // it ends at a balancer before the nodes: a Service of type LoadBalancer gets it
)

// LoadBalancer says who serves Services of type LoadBalancer; "" means nobody.
type LoadBalancer string

// LoadBalancerBuiltin is a load balancer that the flavor brings along.
const LoadBalancerBuiltin LoadBalancer = "builtin"

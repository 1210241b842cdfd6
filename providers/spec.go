package providers

import (
	"fmt"
	"strings"
)

// Spec is the request for a new cluster. The zero value of every field but Name means the
// flavor's default.
type Spec struct {
	Name              string  `json:"name"`
	KubernetesVersion string  `json:"kubernetesVersion,omitempty"` // "v1.37.2"
	NodeImage         string  `json:"nodeImage,omitempty"`         // overrides KubernetesVersion if the flavor has node images
	ControlPlanes     int     `json:"controlPlanes,omitempty"`     // 0 means 1
	Workers           int     `json:"workers,omitempty"`
	Ports             []Port  `json:"ports,omitempty"`
	Mounts            []Mount `json:"mounts,omitempty"`
	Driver            string  `json:"driver,omitempty"` // of flavors that have drivers
	CAFile            string  `json:"caFile,omitempty"` // PEM; trusted by nodes when they pull images
	Native            []byte  `json:"native,omitempty"` // the tool's own configuration; this spec overrides it
	NativeDir         string  `json:"-"`                // the directory of its file; "" if it depends on none, see [Localizer]
	Wants             Wants   `json:"wants,omitzero"`

	// Mark is a UUID that the cluster bears from its first object on. It distinguishes
	// leftovers of an interrupted creation from objects that another program created under the
	// same name.
	Mark string `json:"mark,omitempty"`

	// From is the snapshot to create the cluster from; nil creates an empty one. Only a
	// [Snapshotter] gets it. The other settings are those of the saved cluster, except the name,
	// the mark and published ports. It is not recorded with the cluster.
	From *Snapshot `json:"-"`

	// Offline has [Provider].Check return [NotLocal], instead of asking a registry, if the node
	// image is not on this machine. It is not recorded with the cluster.
	Offline bool `json:"-"`

	// NoCache has nodes, and the engine that pulls their images, not use the image cache. It is
	// not recorded with the cluster.
	NoCache bool `json:"-"`

	// LogsDir is where a failed creation saves the logs of the nodes that it removes, in a
	// separate directory; "" is the system's directory for temporary files. It is not
	// recorded with the cluster.
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

// Mount mounts a directory of the host in every node.
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

// Wants is what the cluster should offer to its addons, or do for speed. It cannot be changed
// after the creation. A flavor ignores what it does not support.
type Wants struct {
	ControlPlaneMetrics bool `json:"controlPlaneMetrics,omitempty"` // scrapeable from inside the cluster
	NoIngress           bool `json:"noIngress,omitempty"`           // leave out the flavor's bundled ingress
	NoMetricsServer     bool `json:"noMetricsServer,omitempty"`     // leave out the flavor's bundled metrics-server
	UnsyncedEtcd        bool `json:"unsyncedEtcd,omitempty"`        // etcd's writes stay in memory until the kernel puts them on the disk
}

// Traits are the facts about a cluster on which addon values depend. Addons do not depend on
// the flavor that created it.
type Traits struct {
	RunsPods            bool         `json:"runsPods"`                      // false: nodes and pods are simulated
	HostPorts           HostPorts    `json:"hostPorts,omitempty"`           // how a published port reaches a pod
	LoadBalancer        LoadBalancer `json:"loadBalancer,omitempty"`        // what serves Services of type LoadBalancer
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
	HostPortsLoadBalancer HostPorts = "loadBalancer" // it ends at a load balancer in front of the nodes: a Service of type LoadBalancer gets it
)

// LoadBalancer says what serves Services of type LoadBalancer; "" means nothing does.
type LoadBalancer string

// LoadBalancerBuiltin is a load balancer that the flavor bundles.
const LoadBalancerBuiltin LoadBalancer = "builtin"

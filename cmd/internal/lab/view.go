package lab

import (
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
)

// APIVersion is that of every object in lab's output.
const APIVersion = "lab/v1alpha1"

// Meta is what every object in lab's output starts with.
type Meta struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

// Cluster is a cluster as lab shows it. Its JSON form is a contract.
type Cluster struct {
	Meta
	Name              string          `json:"name"`
	Flavor            string          `json:"flavor"`
	State             providers.State `json:"state"`
	Reason            string          `json:"reason,omitempty"` // why it is degraded or unknown
	Hint              string          `json:"hint,omitempty"`   // the commands that help then
	KubernetesVersion string          `json:"kubernetesVersion,omitempty"`
	Context           string          `json:"context,omitempty"`
	CreatedAt         *time.Time      `json:"createdAt"` // nil where lab did not make it
	ExpiresAt         *time.Time      `json:"expiresAt"` // nil: never
	Profile           string          `json:"profile,omitempty"`
	Managed           bool            `json:"managed"`           // whether lab made it
	Nodes             []probe.Node    `json:"nodes,omitempty"`   // only if the API server was asked
	Missing           []string        `json:"missing,omitempty"` // what it was created without, and still lacks
	Ports             []string        `json:"ports,omitempty"`   // published on this machine, as --port takes them
	Mounts            []string        `json:"mounts,omitempty"`  // as --mount takes them
	Addons            []Addon         `json:"addons"`
}

// Addon is an addon of a cluster as lab shows it.
type Addon struct {
	Name      string       `json:"name"`
	Version   string       `json:"version"`             // of its chart
	State     addons.State `json:"state,omitempty"`     // as seen last
	Reason    string       `json:"reason,omitempty"`    // why it is not ready
	Simulated bool         `json:"simulated,omitempty"` // accepted by an API server that runs no pods
	URLs      []string     `json:"urls"`
	Open      string       `json:"open,omitempty"` // the command that reaches it where it has no URL
}

// ClusterList is the result of [Lab.List].
type ClusterList struct {
	Meta
	Items []Cluster `json:"items"`
}

// view shows a record together with what its tool says, where it could be asked.
func view(r state.Record, live providers.Cluster) Cluster {
	c := foreignView(live)
	created := r.CreatedAt.UTC()
	c.Name, c.Flavor, c.Context, c.Profile = r.Name, r.Flavor, r.Context, r.Profile
	c.CreatedAt, c.ExpiresAt, c.Managed = &created, r.ExpiresAt, true
	for _, p := range r.Spec.Ports {
		c.Ports = append(c.Ports, p.String())
	}
	for _, m := range r.Spec.Mounts {
		c.Mounts = append(c.Mounts, m.String())
	}
	for _, request := range r.Addons {
		c.Addons = append(c.Addons, asked(r, request.Addon))
	}
	return c
}

// asked shows an addon as it was asked for, without a look at the cluster.
func asked(r state.Record, a addons.Addon) Addon {
	return Addon{Name: a.Name, Version: a.Chart.Version, Simulated: !r.Traits.RunsPods, URLs: urls(r, a), Open: opener(r, a)}
}

// foreignView shows a cluster that lab knows nothing of.
func foreignView(live providers.Cluster) Cluster {
	return Cluster{
		Meta:              Meta{APIVersion, "Cluster"},
		Name:              live.Name,
		Flavor:            live.Provider,
		State:             live.State,
		Reason:            live.Reason,
		KubernetesVersion: live.KubernetesVersion,
		Addons:            []Addon{},
	}
}

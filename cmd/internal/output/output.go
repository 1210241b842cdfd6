// Package output has the objects that lab prints as JSON and YAML. Their form is a contract, which
// docs/output.md describes.
package output

import (
	"errors"
	"fmt"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// APIVersion is the apiVersion of every object.
const APIVersion = "lab/v1alpha1"

// Meta starts every object.
type Meta struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
}

// NewMeta returns the Meta of an object of the given kind.
func NewMeta(kind string) Meta { return Meta{APIVersion, kind} }

// ClusterList is a list of clusters.
type ClusterList struct {
	Meta
	Items []Cluster `json:"items"`
}

// Cluster is a cluster with its nodes and addons.
type Cluster struct {
	Meta
	Name              string          `json:"name"`
	Flavor            string          `json:"flavor"`
	State             providers.State `json:"state"`
	Reason            string          `json:"reason,omitempty"` // why it is degraded or unknown
	Hint              string          `json:"hint,omitempty"`   // the commands that fix it
	KubernetesVersion string          `json:"kubernetesVersion,omitempty"`
	Context           string          `json:"context,omitempty"`
	CreatedAt         *time.Time      `json:"createdAt"` // nil if lab did not create it
	ExpiresAt         *time.Time      `json:"expiresAt"` // nil: never
	Profile           string          `json:"profile,omitempty"`
	Snapshot          string          `json:"snapshot,omitempty"` // that it was created from
	Managed           bool            `json:"managed"`            // whether lab created it
	Nodes             []probe.Node    `json:"nodes,omitempty"`    // only if the API server was asked
	Missing           []string        `json:"missing,omitempty"`  // components that are not installed
	Ports             []string        `json:"ports,omitempty"`    // published on this machine, in the form of --port
	Mounts            []string        `json:"mounts,omitempty"`   // in the form of --mount
	Addons            []Addon         `json:"addons"`
}

// Addon is an addon of a cluster.
type Addon struct {
	Name      string       `json:"name"`
	Version   string       `json:"version"`             // of its chart
	State     addons.State `json:"state,omitempty"`     // as last observed
	Reason    string       `json:"reason,omitempty"`    // why it is not ready
	Simulated bool         `json:"simulated,omitempty"` // accepted by an API server that runs no pods
	URLs      []string     `json:"urls"`
	Open      string       `json:"open,omitempty"` // the command that opens it if it has no URL
}

// Unmanaged returns the view of a cluster that lab has no record of.
func Unmanaged(live providers.Cluster) Cluster {
	return Cluster{
		Meta:              NewMeta("Cluster"),
		Name:              live.Name,
		Flavor:            live.Provider,
		State:             live.State,
		Reason:            live.Reason,
		KubernetesVersion: live.KubernetesVersion,
		Addons:            []Addon{},
	}
}

// Fail sets the state of a cluster that has a problem, the reason and the fix.
func (c *Cluster) Fail(s providers.State, reason, fix string) {
	c.State, c.Reason, c.Hint = s, reason, fix
}

// JudgeAddons marks a cluster as degraded if an addon failed.
func (c *Cluster) JudgeAddons() {
	if !c.healthy() {
		return
	}
	for _, a := range c.Addons {
		if a.State == addons.StateFailed {
			c.Fail(providers.StateDegraded, fmt.Sprintf("addon %s failed: %s", a.Name, a.Reason), "resume the installation: lab up "+c.Name)
			return
		}
	}
}

// Ready returns nil if everything that was requested of the cluster is ready, else an error that
// says what is not, with a hint.
func (c Cluster) Ready() error {
	if c.healthy() {
		return c.addonsReady()
	}
	return fault.WithHint(errors.New(Reasoned(fmt.Sprintf("cluster %q is %s", c.Name, c.State), c.Reason)), "%s", c.Hint)
}

func (c Cluster) healthy() bool { return c.State == providers.StateRunning && c.Hint == "" }

func (c Cluster) addonsReady() error {
	for _, a := range c.Addons {
		if a.State == addons.StateReady {
			continue
		}
		hint := "resume the installation: lab up " + c.Name
		if a.State == addons.StateRemoving {
			hint = fmt.Sprintf("resume the removal: lab addon remove %s --name %s", a.Name, c.Name)
		}
		return fault.WithHint(errors.New(Reasoned(fmt.Sprintf("addon %s of cluster %q is %s", a.Name, c.Name, a.State), a.Reason)), "%s", hint)
	}
	return nil
}

// Reasoned returns "what: reason", or what alone if there is no reason.
func Reasoned(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

package providers

import (
	"slices"
	"time"
)

// Cluster is one cluster as its tool sees it.
type Cluster struct {
	Name              string
	Provider          string
	State             State
	ID                string               // the same for the cluster's whole life, and another for a later one of its name; "" while it is being made
	Mark              string               // that of its Spec; "" where lab did not make it
	Bare              bool                 // of it there is only what cannot bear a mark: a network, an empty directory
	Unread            bool                 // its mark cannot be read, so it may have one; Reason says why
	KubernetesVersion string               // "" where the tool cannot tell
	Since             map[string]time.Time // when each node began to run, by its name, where the tool can tell
	Reason            string               // why State is degraded or unknown, in a few words
	Nodes             []string             // the names under which its nodes register, where the tool can tell
	Parts             []Part               // what it is made of on this machine now; nil where the tool cannot tell
}

// Part is one thing on this machine that a cluster is made of. lab records the parts of a
// cluster that works, and so notices one that another program removed.
type Part struct {
	Kind   string `json:"kind"`             // "node", "load balancer", "network", "volume": as a person reads it
	Name   string `json:"name"`             // as its tool knows it
	Repair bool   `json:"repair,omitempty"` // StartStopper.Start creates it again where it is gone
}

// String is the part as messages name it: "node lab-worker".
func (p Part) String() string { return p.Kind + " " + p.Name }

// Gone returns the parts of recorded that are not among live. If the tool cannot list
// the parts, nothing is gone.
func Gone(recorded, live []Part) []Part {
	if live == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(recorded), func(p Part) bool {
		return slices.ContainsFunc(live, func(q Part) bool { return q.Kind == p.Kind && q.Name == p.Name })
	})
}

// State is the condition of a cluster.
type State string

// The states a cluster can be in. They are part of lab's JSON output.
const (
	StateCreating State = "creating"
	StateRunning  State = "running"
	StateStopped  State = "stopped"
	StateDegraded State = "degraded" // its engine or one of its nodes died
	StateDeleting State = "deleting"
	StateUnknown  State = "unknown"
)

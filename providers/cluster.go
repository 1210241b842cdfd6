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
	ID                string               // the same for the cluster's whole life, different for a later cluster of its name; "" while it is being created
	Mark              string               // that of its Spec; "" if lab did not create it
	Bare              bool                 // only objects exist that cannot bear a mark: a network, an empty directory, a process
	Unread            bool                 // its mark cannot be read, and it may have one; Reason says why
	KubernetesVersion string               // "" if unknown
	Since             map[string]time.Time // when each node started, by its name; nil if unknown
	Reason            string               // why State is degraded or unknown, in a few words
	Nodes             []string             // the names under which its nodes register; nil if unknown
	Parts             []Part               // the objects on this machine that it consists of now; nil if unknown
}

// Part is one object on this machine that a cluster consists of. lab records the parts of a
// cluster that works, and so notices when another program removes one.
type Part struct {
	Kind   string `json:"kind"`             // "node", "load balancer", "registry", "network": part of messages
	Name   string `json:"name"`             // the name that its tool gives it
	Repair bool   `json:"repair,omitempty"` // StartStopper.Start recreates it
}

// String returns the part as messages name it: "node lab-worker".
func (p Part) String() string { return p.Kind + " " + p.Name }

// Gone returns the parts of recorded that are not in live. A nil live means that the tool
// cannot list parts, and nothing is reported as removed.
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

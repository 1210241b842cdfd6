package providers

import "time"

// Cluster is one cluster as its tool sees it.
type Cluster struct {
	Name              string
	Provider          string
	State             State
	ID                string               // the same for the cluster's whole life, and another for a later one of its name; "" while it is being made
	Mark              string               // that of its Spec; "" where lab did not make it
	Bare              bool                 // of it there is only what cannot bear a mark: a network, an empty directory
	KubernetesVersion string               // "" where the tool cannot tell
	Since             map[string]time.Time // when each node began to run, by its name, where the tool can tell
	Reason            string               // why State is degraded or unknown, in a few words
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

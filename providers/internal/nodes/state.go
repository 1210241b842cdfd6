package nodes

import (
	"fmt"
	"slices"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// bornWithin is how long a new cluster may take to answer for the first time. An older one that
// does not answer is broken.
const bornWithin = 5 * time.Minute

// RestartNever is the restart policy of nodes that were stopped on purpose.
const RestartNever = "no"

// State returns the state of a cluster by its containers alone and, if it is degraded, the
// reason.
func (t Tool) State(nodes []docker.Container) (providers.State, string) {
	isNew := func(n docker.Container) bool { return isYoung(n, time.Now()) }
	if _, ok := t.First(nodes); !ok {
		if slices.ContainsFunc(nodes, isNew) {
			return providers.StateCreating, ""
		}
		return providers.StateDegraded, "its control plane is missing"
	}
	running, stopped, born := 0, 0, 0
	reason := ""
	for _, n := range nodes {
		switch {
		case n.Running():
			running++
		case t.wasStopped(n):
			stopped++
		default:
			reason = WhyNot(n)
			if n.State.Status == "created" && isNew(n) {
				born++
			}
		}
	}
	switch {
	case running == len(nodes):
		return providers.StateRunning, ""
	case stopped == len(nodes):
		return providers.StateStopped, ""
	case born > 0 && running+stopped == 0:
		return providers.StateCreating, ""
	case reason == "":
		reason = "some of its nodes are stopped"
	}
	return providers.StateDegraded, reason
}

// wasStopped reports whether a node was stopped on purpose: lab changes the restart policy of
// nodes that it stops, and other nodes exit with a regular code.
func (t Tool) wasStopped(n docker.Container) bool {
	calm := n.State.ExitCode == 0 || n.State.ExitCode == 130 || n.State.ExitCode == 143
	byLab := t.Restart != "" && n.HostConfig.RestartPolicy.Name == RestartNever
	return n.State.Status == "exited" && (byLab || calm)
}

// WhyNot returns why a node does not run.
func WhyNot(n docker.Container) string {
	switch n.State.Status {
	case "exited", "dead":
		return fmt.Sprintf("node %s exited (exit code %d)", n.Name, n.State.ExitCode)
	case "created":
		return fmt.Sprintf("node %s was never started", n.Name)
	}
	return fmt.Sprintf("node %s is %s", n.Name, n.State.Status) // such as paused
}

// isYoung reports whether a node may still be starting for the first time.
func isYoung(n docker.Container, now time.Time) bool { return now.Sub(n.Created) < bornWithin }

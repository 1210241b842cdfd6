package lab

import (
	"fmt"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// obstacle is why a recorded cluster cannot be used, whatever its tool says of it.
type obstacle struct {
	state  providers.State // "" where the tool tells
	reason string
	fix    string // the commands that help
}

// obstacleOf returns why, by its record, a cluster cannot be used, or nil. busy is whether
// another lab process works on it. Every command uses obstacleOf, so that they agree.
func (l *Lab) obstacleOf(r state.Record, busy bool) *obstacle {
	name := r.Name
	switch {
	case busy && r.Phase == state.PhaseCreating:
		return &obstacle{providers.StateCreating, "another lab process is creating it", "wait until it is ready: lab up " + name}
	case busy && r.Phase == state.PhaseDeleting:
		return &obstacle{providers.StateDeleting, "another lab process is deleting it", "wait until it is deleted; lab list shows it until then"}
	case l.over(r) && r.Run && r.Phase == state.PhaseCreated:
		return &obstacle{"", "the lab run that created it has ended", "delete it: lab gc"}
	case l.over(r) && !r.Run:
		o := &obstacle{"", "its time to live ended at " + r.ExpiresAt.UTC().Format(time.RFC3339),
			fmt.Sprintf("lab up %s recreates it; lab gc deletes it", name)}
		if r.Phase == state.PhaseCreated {
			o.fix += fmt.Sprintf("; lab extend %s --ttl 2h keeps it", name)
		} else {
			o.state = providers.StateDegraded
		}
		return o
	case r.Phase == state.PhaseCreating:
		return &obstacle{providers.StateDegraded, "its creation was interrupted", fmt.Sprintf("lab up %s recreates it; lab down %s deletes the rest", name, name)}
	case r.Phase == state.PhaseDeleting:
		return &obstacle{providers.StateDegraded, "its removal was interrupted", fmt.Sprintf("lab down %s deletes the rest; lab up %s recreates it", name, name)}
	}
	return nil
}

// err is the error of a command that needs the cluster.
func (o *obstacle) err(name string) error {
	return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "cluster %q cannot be used: %s", name, o.reason), "%s", o.fix)
}

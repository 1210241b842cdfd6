package lab

import (
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// hasFlavor returns nil where this lab has the flavor of the cluster, else ErrInvalid: a
// newer lab, say, made it, and only that one can do anything with it.
func (l *Lab) hasFlavor(r state.Record) error {
	if _, err := l.Set.Get(r.Flavor); err == nil {
		return nil
	}
	err := fault.Errorf(fault.ErrInvalid, "cluster %q is of the flavor %q, which this lab does not have", r.Name, r.Flavor)
	return fault.WithHint(err, "use the lab that made it; if the cluster is known to be gone, make lab forget it: rm -r %s", fault.ShellWord(l.State.Dir(r.Name)))
}

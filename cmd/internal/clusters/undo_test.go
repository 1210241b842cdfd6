package clusters_test

import (
	"context"
	"errors"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/providertest"

	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
)

// overtaken is a flavor whose creations fail after another program has taken the name.
type overtaken struct {
	providers.Provider
	machine *providertest.Machine
}

func (o overtaken) Create(ctx context.Context, spec providers.Spec, report event.Reporter) error {
	err := o.Provider.Create(ctx, spec, report)
	return errors.Join(err, o.machine.Remake(spec.Name), errors.New("the network is gone"))
}

// TestUndoKeepsForeignCluster: after a failed creation, lab keeps a cluster of another program that has
// taken the name.
func TestUndoKeepsForeignCluster(t *testing.T) {
	t.Parallel()
	var machine providertest.Machine
	b := labtest.New(t, func(p providers.Provider) providers.Provider { return overtaken{p, &machine} })
	machine = b.Machine
	if _, err := b.Up(t.Context(), labtest.Request("demo"), nil); err == nil {
		t.Error("no error")
	}
	b.WantNoRecord(t, "demo")
	if left := b.Existing(t); len(left) != 1 || left[0].Mark != "" {
		t.Errorf("there is %+v, want the foreign cluster", left)
	}
}

package inventory_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"

	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	b := labtest.New(t, nil)
	b.MustUp(t, "demo")
	for _, tt := range []struct {
		what   string
		probe  *labtest.Prober
		want   providers.State
		reason string
	}{
		{"well", &labtest.Prober{Nodes: []probe.Node{{Name: "a", Ready: true}}}, providers.StateRunning, ""},
		{"a node is not ready", &labtest.Prober{Lacks: errors.New("node b to be ready (disk pressure)")}, providers.StateDegraded, "waiting for node b to be ready (disk pressure)"},
		{"DNS is not ready", &labtest.Prober{Lacks: errors.New("DNS to be ready (no pod)")}, providers.StateDegraded, "waiting for DNS to be ready"},
		{"a node was deleted", &labtest.Prober{Lacks: &probe.NodesGone{Names: []string{"b"}}}, providers.StateDegraded, "node b is missing: its Node object was deleted"},
		{"without DNS, as requested", &labtest.Prober{Absent: []string{"DNS"}}, providers.StateRunning, ""},
		{"no answer", &labtest.Prober{Err: errors.New("connection refused")}, providers.StateDegraded, "does not answer: connection refused"},
	} {
		b.Probe = tt.probe
		c, err := b.Status(t.Context(), "demo")
		if err != nil || c.State != tt.want || !strings.Contains(c.Reason, tt.reason) {
			t.Errorf("%s: %s (%s), %v; want %s (%s)", tt.what, c.State, c.Reason, err, tt.want, tt.reason)
		}
		if list, _ := b.List(t.Context(), false); list.Items[0].State != c.State || list.Items[0].Reason != c.Reason || list.Items[0].Hint != c.Hint {
			t.Errorf("%s: list says %+v, and status %+v", tt.what, list.Items[0], c)
		}
		if len(c.Missing) != len(tt.probe.Absent) {
			t.Errorf("%s: missing %q", tt.what, c.Missing)
		}
		err = c.Ready()
		if (err == nil) != (tt.want == providers.StateRunning) {
			t.Errorf("%s: ready: %v", tt.what, err)
		}
		if err != nil && fault.HintOf(err) == "" {
			t.Errorf("%s: %v has no hint", tt.what, err)
		}
	}
}

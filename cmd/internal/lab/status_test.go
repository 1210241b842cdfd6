package lab_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.up(t, "demo")
	for _, tt := range []struct {
		what   string
		probe  *prober
		want   providers.State
		reason string
	}{
		{"well", &prober{nodes: []probe.Node{{Name: "a", Ready: true}}}, providers.StateRunning, ""},
		{"a node is not ready", &prober{lacks: errors.New("node b to be ready (disk pressure)")}, providers.StateDegraded, "waiting for node b to be ready (disk pressure)"},
		{"DNS is not ready", &prober{lacks: errors.New("DNS to be ready (no pod)")}, providers.StateDegraded, "waiting for DNS to be ready"},
		{"a node was deleted", &prober{lacks: &probe.NodesGone{Names: []string{"b"}}}, providers.StateDegraded, "node b is missing: its Node object was deleted"},
		{"without DNS, as requested", &prober{absent: []string{"DNS"}}, providers.StateRunning, ""},
		{"no answer", &prober{err: errors.New("connection refused")}, providers.StateDegraded, "does not answer: connection refused"},
	} {
		b.Probe = tt.probe
		c, err := b.Status(t.Context(), "demo")
		if err != nil || c.State != tt.want || !strings.Contains(c.Reason, tt.reason) {
			t.Errorf("%s: %s (%s), %v; want %s (%s)", tt.what, c.State, c.Reason, err, tt.want, tt.reason)
		}
		if list, _ := b.List(t.Context(), false); list.Items[0].State != c.State || list.Items[0].Reason != c.Reason || list.Items[0].Hint != c.Hint {
			t.Errorf("%s: list says %+v, and status %+v", tt.what, list.Items[0], c)
		}
		if len(c.Missing) != len(tt.probe.absent) {
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

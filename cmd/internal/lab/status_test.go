package lab_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/providers"
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
		{"a node is not ready", &prober{nodes: []probe.Node{{Name: "a", Ready: true}, {Name: "b", Reason: "disk pressure"}}},
			providers.StateDegraded, "node b is not ready: disk pressure"},
		{"no answer", &prober{err: errors.New("connection refused")}, providers.StateDegraded, "does not answer: connection refused"},
	} {
		b.Probe = tt.probe
		c, err := b.Status(t.Context(), "demo")
		if err != nil || c.State != tt.want || !strings.Contains(c.Reason, tt.reason) {
			t.Errorf("%s: %s (%s), %v; want %s (%s)", tt.what, c.State, c.Reason, err, tt.want, tt.reason)
		}
		err = c.Ready()
		if (err == nil) != (tt.want == providers.StateRunning) {
			t.Errorf("%s: ready: %v", tt.what, err)
		}
		if err != nil && providers.HintOf(err) == "" {
			t.Errorf("%s: %v has no hint", tt.what, err)
		}
	}
}

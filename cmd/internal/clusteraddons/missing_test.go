package clusteraddons_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestMissing checks that an addon is not missing if the cluster has it, bundles the same, or has another addon that
// provides the same, and that addons that do not work yet are missing.
func TestMissing(t *testing.T) {
	t.Parallel()
	s := &clusteraddons.Addons{ConfigDir: t.TempDir()}
	works := addons.Requests{{Addon: addons.Addon{Name: "hello"}}, {Addon: addons.Addon{Name: "nginx", Provides: []string{addons.ProvidesIngress}}}}
	unfinished := addons.Requests{{Addon: addons.Addon{Name: "hello"}, Unfinished: true}, {Addon: addons.Addon{Name: "traefik"}, Removing: true}}
	needs := []string{"hello", "traefik", "metrics-server"}
	for name, test := range map[string]struct {
		record state.Record
		want   []string
	}{
		"new":         {state.Record{}, needs},
		"installed":   {state.Record{Addons: works}, []string{"metrics-server"}},
		"interrupted": {state.Record{Addons: unfinished}, needs},
		"bundled":     {state.Record{Traits: providers.Traits{MetricsServer: true, Ingress: true}}, []string{"hello"}},
	} {
		if got, err := s.Missing(test.record, needs); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: missing %q, want %q: %v", name, got, test.want, err)
		}
	}
	if _, err := s.Missing(state.Record{}, []string{"helo"}); !errors.Is(err, fault.ErrNotFound) || fault.HintOf(err) == "" {
		t.Errorf("an unknown addon: %v", err)
	}
}

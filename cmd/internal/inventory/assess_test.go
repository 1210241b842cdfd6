package inventory

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestAssess checks the state that users see of a cluster: from its record, what the tool reports, and
// whether another lab process works on it.
func TestAssess(t *testing.T) {
	t.Parallel()
	live := func(id string, s providers.State) *providers.Cluster {
		return &providers.Cluster{Name: "demo", Provider: "kind", ID: id, State: s, KubernetesVersion: "v1.37.2"}
	}
	marked := func(mark string) *providers.Cluster {
		return &providers.Cluster{Name: "demo", Provider: "kind", Mark: mark, State: providers.StateCreating}
	}
	with := func(c *providers.Cluster, parts ...providers.Part) *providers.Cluster {
		c.Parts = parts
		return c
	}
	node, network := providers.Part{Kind: "node", Name: "lab-worker"}, providers.Part{Kind: "network", Name: "lab", Repair: true}
	past := time.Date(2026, 11, 24, 10, 8, 42, 0, time.UTC)
	bare := &providers.Cluster{Name: "demo", Provider: "kwok", State: providers.StateDegraded, Bare: true, Reason: "its directory was deleted"}
	gone := errors.New("the socket is gone")
	for _, tt := range []struct {
		what   string
		phase  state.Phase
		id     string
		mark   string
		live   *providers.Cluster
		asking error
		busy   bool
		also   func(*state.Record) // more of the record
		want   providers.State
		reason string // part of it; "" for none
		mine   bool
		hint   string // part of it
	}{
		{what: "healthy", phase: state.PhaseCreated, id: "1", live: live("1", providers.StateRunning), want: providers.StateRunning, mine: true},
		{what: "stopped", phase: state.PhaseCreated, id: "1", live: live("1", providers.StateStopped), want: providers.StateStopped, mine: true},
		{what: "another lab process changes it", phase: state.PhaseCreated, id: "1", live: live("1", providers.StateRunning), busy: true, want: providers.StateRunning, mine: true},
		{what: "only leftovers without a mark", phase: state.PhaseCreated, id: "1", mark: "a", live: bare, want: providers.StateDegraded, reason: "its directory was deleted", hint: "lab up demo recreates it", mine: true},
		{what: "its kubeconfig is missing", phase: state.PhaseCreated, id: "1", live: live("1", providers.StateUnknown), want: providers.StateUnknown, hint: "lab start demo", mine: true},
		{what: "gone", phase: state.PhaseCreated, id: "1", want: providers.StateUnknown, reason: "it is gone"},
		{what: "recreated by another program", phase: state.PhaseCreated, id: "1", live: live("2", providers.StateRunning), want: providers.StateUnknown, reason: "taken its name"},
		{what: "its tool cannot be asked", phase: state.PhaseCreated, id: "1", asking: gone, want: providers.StateUnknown, reason: "the socket is gone"},
		{what: "of an unknown flavor", phase: state.PhaseCreating, asking: fault.Errorf(fault.ErrInvalid, "no such flavor"), want: providers.StateUnknown, reason: "no such flavor"},
		{what: "creation has just begun", phase: state.PhaseCreating, busy: true, want: providers.StateCreating},
		{what: "being created", phase: state.PhaseCreating, live: live("", providers.StateCreating), busy: true, want: providers.StateCreating, mine: true},
		{what: "half-created", phase: state.PhaseCreating, live: live("", providers.StateCreating), want: providers.StateDegraded, reason: "creation was interrupted", mine: true},
		{what: "half-created, with its mark", phase: state.PhaseCreating, mark: "a", live: marked("a"), want: providers.StateDegraded, reason: "creation was interrupted", mine: true},
		{what: "half-created, and its name is taken", phase: state.PhaseCreating, mark: "a", live: live("2", providers.StateRunning), want: providers.StateUnknown, reason: "taken its name"},
		{what: "half-created, and another lab took its name", phase: state.PhaseCreating, mark: "a", live: marked("b"), want: providers.StateUnknown, reason: "taken its name"},
		{what: "created, and never ready", phase: state.PhaseCreating, id: "1", live: live("1", providers.StateRunning), want: providers.StateDegraded, reason: "creation was interrupted", mine: true},
		{what: "never begun", phase: state.PhaseCreating, want: providers.StateDegraded, reason: "creation was interrupted"},
		{what: "being deleted", phase: state.PhaseDeleting, id: "1", live: live("1", providers.StateRunning), busy: true, want: providers.StateDeleting, mine: true},
		{what: "half-deleted", phase: state.PhaseDeleting, id: "1", live: live("1", providers.StateDegraded), want: providers.StateDegraded, reason: "removal was interrupted", mine: true},
		{what: "deleted except for its record", phase: state.PhaseDeleting, id: "1", want: providers.StateDegraded, reason: "removal was interrupted"},
		{what: "half-created: the hint", phase: state.PhaseCreating, want: providers.StateDegraded, reason: "creation was interrupted", hint: "lab up demo recreates it"},
		{what: "half-deleted: the hint", phase: state.PhaseDeleting, want: providers.StateDegraded, reason: "removal was interrupted", hint: "lab down demo deletes the rest"},
		{what: "starting, and no lab process works on it", phase: state.PhaseCreated, id: "1", live: live("1", providers.StateCreating), want: providers.StateDegraded, reason: "API server does not answer", hint: "lab start demo", mine: true},
		{what: "starting, and another lab process works on it", phase: state.PhaseCreated, id: "1", live: live("1", providers.StateCreating), busy: true, want: providers.StateCreating, mine: true},
		{what: "not ready yet, and another lab process waits", phase: state.PhaseCreated, id: "1", live: live("1", providers.StateRunning), busy: true, also: func(r *state.Record) { r.NotReady = true }, want: providers.StateCreating, mine: true},
		{what: "its time is over", phase: state.PhaseCreated, id: "1", live: live("1", providers.StateRunning), also: func(r *state.Record) { r.ExpiresAt = &past }, want: providers.StateRunning, reason: "time to live ended at 2026-11-24T10:08:42Z", hint: "lab extend demo", mine: true},
		{what: "its time is over, and it is half-deleted", phase: state.PhaseDeleting, id: "1", live: live("1", providers.StateRunning), also: func(r *state.Record) { r.ExpiresAt = &past }, want: providers.StateDegraded, reason: "time to live ended", hint: "lab gc", mine: true},
		{what: "a worker is gone", phase: state.PhaseCreated, id: "1", live: with(live("1", providers.StateRunning), network), also: func(r *state.Record) { r.Parts = []providers.Part{node, network} }, want: providers.StateDegraded, reason: "node lab-worker is gone", hint: "lab up demo --recreate", mine: true},
		{what: "a worker is gone while it is stopped", phase: state.PhaseCreated, id: "1", live: with(live("1", providers.StateStopped), network), also: func(r *state.Record) { r.Parts = []providers.Part{node, network} }, want: providers.StateDegraded, reason: "node lab-worker is gone", mine: true},
		{what: "a part that start recreates is gone", phase: state.PhaseCreated, id: "1", live: with(live("1", providers.StateStopped), node), also: func(r *state.Record) { r.Parts = []providers.Part{node, network} }, want: providers.StateDegraded, reason: "network lab is gone", hint: "lab start demo", mine: true},
	} {
		t.Run(tt.what, func(t *testing.T) {
			t.Parallel()
			l := &Inventory{State: state.Open(t.TempDir()), Now: time.Now}
			r := state.Record{Name: "demo", Flavor: "kind", Phase: tt.phase, ID: tt.id, Spec: providers.Spec{Mark: tt.mark}, CreatedAt: time.Now()}
			if tt.also != nil {
				tt.also(&r)
			}
			if err := l.State.Put(r); err != nil {
				t.Fatal(err)
			}
			got, mine := l.Assess(r, providers.Found{Cluster: tt.live, Err: tt.asking}, tt.busy)
			if got.State != tt.want || mine != tt.mine {
				t.Errorf("%s, mine %v; want %s, mine %v", got.State, mine, tt.want, tt.mine)
			}
			if (got.Reason == "") != (tt.reason == "") || !strings.Contains(got.Reason, tt.reason) {
				t.Errorf("reason %q, want %q", got.Reason, tt.reason)
			}
			if !strings.Contains(got.Hint, tt.hint) {
				t.Errorf("hint %q, want %q", got.Hint, tt.hint)
			}
			if !got.Managed || got.Name != "demo" || got.Flavor != "kind" || got.CreatedAt == nil {
				t.Errorf("it is not what lab remembers: %+v", got)
			}
		})
	}
}

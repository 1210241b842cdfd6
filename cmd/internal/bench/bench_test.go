package bench_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/clusterlab-dev/lab/cmd/internal/bench"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// meter counts up with each reading.
type meter struct {
	mu sync.Mutex
	n  float64
}

func (*meter) Machine() bench.Machine { return bench.Machine{OS: "test", CPUs: 2} }

func (m *meter) Read() bench.Counters {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n++
	busy, total, available := m.n, 100*m.n, 1e9-m.n
	return bench.Counters{Busy: &busy, Total: &total, Available: &available}
}

// tool is a flavor with a program that creates a directory for each cluster.
type tool struct {
	providers.Provider
	dir    string
	create string // a shell command
}

func (t tool) Alone(_ context.Context, spec providers.Spec, dir string) (providers.Alone, error) {
	cluster, config := filepath.Join(t.dir, spec.Name), filepath.Join(dir, "config")
	return providers.Alone{
		Tool: "tool", Version: []string{"echo", "tool 1.0"}, Kubeconfig: config,
		Create: [][]string{{"sh", "-c", "mkdir " + cluster + " && echo config >" + config + " && " + t.create}},
		Delete: []string{"rmdir", cluster},
	}, nil
}

// start returns a bench on a flavor whose program runs create, and the directory of its clusters.
func start(t *testing.T, create string) (*bench.Bench, labtest.Bench, string) {
	t.Helper()
	dir := t.TempDir()
	b := labtest.New(t, func(p providers.Provider) providers.Provider { return tool{p, dir, create} })
	return &bench.Bench{
		Inventory: b.Inventory, Runs: b.Runs, Meter: &meter{},
		Cold: func(cache string) *clusters.Runs {
			if left, err := os.ReadDir(cache); err != nil || len(left) > 0 {
				t.Errorf("the cache has %v: %v", left, err)
			}
			return b.Runs
		},
	}, b, dir
}

// requireNothing checks that no cluster is left.
func requireNothing(t *testing.T, b labtest.Bench, dir string) {
	t.Helper()
	made, err := b.Inventory.Set.List(t.Context())
	records, problems := b.Inventory.State.List()
	files, unread := os.ReadDir(dir)
	if err := errors.Join(err, problems, unread); err != nil || len(made)+len(records)+len(files) > 0 {
		t.Errorf("left: %v, %v, %v: %v", made, records, files, err)
	}
}

// TestRun checks that both sides alternate, that their order changes, and that nothing is left.
func TestRun(t *testing.T) {
	t.Parallel()
	for against, peer := range map[bench.Against]string{
		bench.AgainstTool: "tool", bench.AgainstWarm: "lab up again", bench.AgainstCold: "lab up, empty cache",
	} {
		t.Run(string(against), func(t *testing.T) {
			t.Parallel()
			m, b, dir := start(t, "true")
			var order []string
			report, err := m.Run(t.Context(), bench.Request{Flavors: []string{"fake"}, Rounds: 2, Against: against}, func(e event.Event) {
				if e.State == event.Started {
					order = append(order, strings.TrimPrefix(e.Step, "fake: "))
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			want := []string{"lab up, round 1 of 2", peer + ", round 1 of 2", peer + ", round 2 of 2", "lab up, round 2 of 2"}
			if got := strings.Join(order, "; "); got != strings.Join(want, "; ") {
				t.Errorf("the order was %s", got)
			}
			c := report.Items[0]
			if len(c.Lab.Rounds) != 2 || len(c.Peer.Rounds) != 2 || c.Lab.Seconds <= 0 || c.Peer.Seconds <= 0 || c.Peer.Name != peer {
				t.Errorf("%+v", c)
			}
			if len(c.Lab.Steps) == 0 || len(c.Peer.Steps) == 0 || c.Lab.CPUSeconds == nil || c.Lab.ReceivedBytes != nil {
				t.Errorf("lab %+v, peer %+v", c.Lab, c.Peer)
			}
			if against == bench.AgainstTool && c.Peer.Version != "tool 1.0" {
				t.Errorf("version %q", c.Peer.Version)
			}
			requireNothing(t, b, dir)
		})
	}
}

// TestRunAgainstSnapshot checks that the peer starts with a snapshot, which is removed at the end, and
// that a flavor without snapshots is refused before anything is created.
func TestRunAgainstSnapshot(t *testing.T) {
	t.Parallel()
	for _, has := range []bool{true, false} {
		m, b, dir := start(t, "true")
		if has {
			b = labtest.New(t, nil)
			m.Inventory, m.Runs = b.Inventory, b.Runs
		}
		m.Snapshots = &clusters.Snapshots{Clusters: b.Clusters}
		var steps []string
		report, err := m.Run(t.Context(), bench.Request{Flavors: []string{"fake"}, Rounds: 1, Against: bench.AgainstSnapshot}, func(e event.Event) {
			if e.State == event.Started {
				steps = append(steps, strings.TrimPrefix(e.Step, "fake: "))
			}
		})
		switch {
		case !has && (!errors.Is(err, fault.ErrUnsupported) || len(steps) > 0):
			t.Errorf("without snapshots: %v, after %q", err, steps)
		case has && err != nil:
			t.Error(err)
		case has:
			if got := strings.Join(steps, "; "); got != "saving a cluster; lab up, round 1 of 1; lab up --from, round 1 of 1" {
				t.Errorf("the order was %s", got)
			}
			if len(report.Items[0].Peer.Rounds) != 1 {
				t.Errorf("%+v", report.Items[0])
			}
		}
		requireNothing(t, b, dir)
		if list, problems := m.Snapshots.List(); len(list.Items) > 0 || problems != nil {
			t.Errorf("left: %+v, %v", list.Items, problems)
		}
	}
}

// TestRunFails checks that the cluster of a tool that fails or is interrupted is deleted, and
// that the error has the words of the tool.
func TestRunFails(t *testing.T) {
	t.Parallel()
	m, b, dir := start(t, "echo no space left >&2; false")
	q := bench.Request{Flavors: []string{"fake"}, Rounds: 1, Against: bench.AgainstTool}
	if _, err := m.Run(t.Context(), q, nil); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("%v", err)
	}
	requireNothing(t, b, dir)

	m, b, dir = start(t, "exec sleep 600")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := m.Run(ctx, q, func(e event.Event) {
		if e.State == event.Progress && strings.HasPrefix(e.Message, "sh -c") {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	requireNothing(t, b, dir)
}

// TestRefused checks the errors before anything is created.
func TestRefused(t *testing.T) {
	t.Parallel()
	plain := labtest.New(t, func(p providers.Provider) providers.Provider { return struct{ providers.Provider }{p} })
	m := &bench.Bench{Inventory: plain.Inventory, Runs: plain.Runs, Meter: &meter{}}
	with := clusters.UpRequest{Addons: clusteraddons.Request{Names: []string{"hello"}}}
	for what, tt := range map[string]struct {
		q    bench.Request
		want error
	}{
		"no rounds":           {bench.Request{Flavors: []string{"fake"}, Against: bench.AgainstWarm}, fault.ErrInvalid},
		"addons of a tool":    {bench.Request{Flavors: []string{"fake"}, Rounds: 1, Against: bench.AgainstTool, Up: with}, fault.ErrInvalid},
		"a flavor of no tool": {bench.Request{Flavors: []string{"fake"}, Rounds: 1, Against: bench.AgainstTool}, fault.ErrUnsupported},
		"a flavor of no name": {bench.Request{Flavors: []string{"none"}, Rounds: 1, Against: bench.AgainstTool}, fault.ErrInvalid},
	} {
		if _, err := m.Run(t.Context(), tt.q, nil); !errors.Is(err, tt.want) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v (hint %q)", what, err, fault.HintOf(err))
		}
	}
}

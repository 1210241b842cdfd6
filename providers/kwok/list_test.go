//go:build linux || darwin

package kwok

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestListStates(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		behavior string
		then     func(t *testing.T, dir string)
		state    providers.State
		reason   string
	}{
		{"as it was made", "good", nothing, providers.StateRunning, ""},
		{"engine killed", "good", kill, providers.StateDegraded, "lab start demo"},
		{"answers with an error", "sick", nothing, providers.StateDegraded, "500"},
		{"does not answer", "stuck", nothing, providers.StateDegraded, "deadline exceeded"},
		{"status of garbage", "good", spoil(statusFile, "}"), providers.StateUnknown, statusFile},
		{"kubeconfig of garbage", "good", spoil("kubeconfig", "}"), providers.StateUnknown, "kubeconfig"},
		{"starting", "good", spoil(statusFile, `{"phase":"starting"}`), providers.StateCreating, ""},
		{"started again, status still the old one", "good", spoil(statusFile, `{"phase":"stopped","pid":1}`), providers.StateCreating, ""},
		{"killed before it was ready", "good", both(kill, spoil(statusFile, `{"phase":"starting"}`)), providers.StateDegraded, "creation was interrupted"},
		{"killed while it started again", "good", both(kill, spoil(statusFile, `{"phase":"starting","everReady":true}`)), providers.StateDegraded, "engine died"},
		{"stopped in order", "good", both(kill, spoil(statusFile, `{"phase":"stopped"}`)), providers.StateStopped, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, tt.behavior)
			dir := create(t, p)
			id := only(t, p).ID
			tt.then(t, dir)
			wantState(t, p, tt.state, tt.reason)
			if now := only(t, p).ID; now != id && !strings.HasPrefix(tt.name, "kubeconfig") {
				t.Errorf("ID is %q, was %q", now, id)
			}
		})
	}
}

func nothing(*testing.T, string) {}

func both(first, second func(*testing.T, string)) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		first(t, dir)
		second(t, dir)
	}
}

// spoil overwrites a file of the cluster.
func spoil(file, content string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestListNewCluster(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	if err := p.claim(engineConfig{Name: "demo"}); err != nil {
		t.Fatal(err)
	}
	wantState(t, p, providers.StateCreating, "")
	old := time.Now().Add(-2 * launchWithin)
	if err := os.Chtimes(filepath.Join(p.dir("demo"), configFile), old, old); err != nil {
		t.Fatal(err)
	}
	wantState(t, p, providers.StateDegraded, "creation was interrupted")
}

func TestListIgnoresOtherDirectories(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	stranger := filepath.Join(p.dir("photos"), "holiday.jpg")
	if err := errors.Join(
		os.MkdirAll(filepath.Dir(stranger), 0o700),
		os.WriteFile(stranger, nil, 0o600),
		os.Mkdir(p.dir("Not_A_Name"), 0o700),
		os.WriteFile(p.dir("file"), nil, 0o600),
	); err != nil {
		t.Fatal(err)
	}
	if clusters, err := p.List(t.Context()); err != nil || len(clusters) > 0 {
		t.Errorf("List: %+v, %v; want nothing", clusters, err)
	}
	if err := p.Delete(t.Context(), providers.Ref{Name: "photos"}); !errors.Is(err, fault.ErrForeign) {
		t.Errorf("Delete: %v, want ErrForeign", err)
	}
	if err := p.Create(t.Context(), providers.Spec{Name: "photos"}, nil); !errors.Is(err, fault.ErrExists) {
		t.Errorf("Create: %v, want ErrExists", err)
	}
	if _, err := os.Stat(stranger); err != nil {
		t.Error(err)
	}
}

func TestKubeconfigOfIncompleteCluster(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	halfMade(t, p.opts.Dir, providers.Spec{Name: "demo"})
	_, err := p.Kubeconfig(t.Context(), providers.Ref{Name: "demo"})
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(fault.HintOf(err), "lab start demo") {
		t.Errorf("error is %v (%s)", err, fault.HintOf(err))
	}
}

func TestExportLogs(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	dir, to := create(t, p), t.TempDir()
	// The target of a link may be secret.
	if err := os.Symlink(filepath.Join(dir, "kubeconfig"), filepath.Join(dir, "logs", "link.log")); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second time, over the first
		if err := p.ExportLogs(t.Context(), providers.Ref{Name: "demo"}, to); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(to)
	var got []string
	for _, entry := range entries {
		got = append(got, entry.Name())
	}
	if want := "engine.json engine.log panic.log status.json"; err != nil || strings.Join(got, " ") != want {
		t.Errorf("exported %q, %v; want %s", got, err, want)
	}
}

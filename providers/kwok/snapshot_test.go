//go:build linux || darwin

package kwok

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// copyData is the commands snapshot and restore of a fake engine, whose data is the file "data".
func (a *actor) copyData(verb, dir, file string) int {
	switch {
	case a.does("busy"):
		hang()
	case a.does("fulldisk"):
		fmt.Fprintln(os.Stderr, "lab-engine: write etcd.db: no space left on device")
		return exitFailed
	case a.does("oldEngine"):
		return exitUsage
	case a.does("sameLock"):
		return exitLocked
	}
	data := filepath.Join(dir, "data")
	if verb == "snapshot" {
		text, _ := os.ReadFile(data)
		must(0, os.WriteFile(file, append([]byte("saved "), text...), 0o600))
		return 0
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(text), "saved ") {
		fmt.Fprintln(os.Stderr, "lab-engine: expected sha256 [1], got [2]")
		return exitFailed
	}
	must(0, os.WriteFile(data, text[len("saved "):], 0o600))
	writeWhole(filepath.Join(dir, statusFile), must(json.Marshal(map[string]any{"phase": phaseStopped, "everReady": true})))
	return 0
}

func save(t *testing.T, p *Provider, name string) providers.Snapshot {
	t.Helper()
	dir := t.TempDir()
	from, err := p.SaveSnapshot(t.Context(), providers.Ref{Name: name}, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	from.Dir = dir
	return from
}

// TestRestoreKeepsNodeNames checks that a restored cluster, and one that is restored from its snapshot,
// have the nodes of the source: pods name them.
func TestRestoreKeepsNodeNames(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	if err := p.Create(t.Context(), providers.Spec{Name: "demo", Workers: 2}, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir("demo"), "data"), []byte("pods"), 0o600); err != nil {
		t.Fatal(err)
	}
	source := "demo"
	for _, name := range []string{"copy", "again"} {
		from := save(t, p, source)
		if err := p.Create(t.Context(), providers.Spec{Name: name, Workers: 2, Mark: "m-" + name, From: &from}, nil); err != nil {
			t.Fatal(err)
		}
		all, err := p.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c := all[slices.IndexFunc(all, func(c providers.Cluster) bool { return c.Name == name })]
		want := []string{"demo-control-plane", "demo-worker", "demo-worker2"}
		if !slices.Equal(c.Nodes, want) || c.Mark != "m-"+name || c.State != providers.StateRunning {
			t.Errorf("%+v, want the nodes %q", c, want)
		}
		if data, err := os.ReadFile(filepath.Join(p.dir(name), "data")); err != nil || string(data) != "pods" {
			t.Errorf("%s has %q, %v", name, data, err)
		}
		source = name
	}
}

// TestSnapshotFailures checks the errors of saves and restores, and that failed restores leave nothing.
func TestSnapshotFailures(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	create(t, p)
	from := save(t, p, "demo")
	for _, test := range []struct {
		behavior, words, hint string
	}{
		{"fulldisk", "no space left on device", "free space on the disk"},
		{"oldEngine", "is too old: it has no snapshots", "make install"},
		{"sameLock", "another lab-engine runs this cluster", ""},
	} {
		bad := withEngine(t, p.opts.Dir, test.behavior)
		_, err := bad.SaveSnapshot(t.Context(), providers.Ref{Name: "demo"}, t.TempDir(), nil)
		wantWords(t, err, test.words, test.hint)
		err = bad.Create(t.Context(), providers.Spec{Name: "copy", From: &from}, nil)
		wantWords(t, err, test.words, test.hint)
		if found := leaks(t, p.opts.Dir, "copy"); len(found) > 0 {
			t.Errorf("%s: left behind: %q", test.behavior, found)
		}
	}
	if err := os.WriteFile(filepath.Join(from.Dir, snapshotFile), []byte("sav"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantWords(t, p.Create(t.Context(), providers.Spec{Name: "copy", From: &from}, nil), "expected sha256", "")

	ctx, cancel := context.WithCancel(t.Context())
	busy := withEngine(t, p.opts.Dir, "busy")
	cancel()
	if _, err := busy.SaveSnapshot(ctx, providers.Ref{Name: "demo"}, t.TempDir(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled save: %v", err)
	}
}

func wantWords(t *testing.T, err error, words, hint string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), words) || !strings.Contains(fault.HintOf(err), hint) {
		t.Errorf("error %v (hint %q), want %q and the hint %q", err, fault.HintOf(err), words, hint)
	}
}

// TestSnapshotOfAnotherVersion checks that a snapshot of another Kubernetes is refused before anything
// is created, and that an interrupted creation cannot be saved.
func TestSnapshotOfAnotherVersion(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	create(t, p)
	from := save(t, p, "demo")
	from.KubernetesVersion = "v1.30.0"
	err := p.Check(t.Context(), providers.Spec{Name: "copy", From: &from})
	wantWords(t, err, "the snapshot has Kubernetes v1.30.0, and this build of lab-engine contains v1.37.2", "lab snapshot save")
	if !errors.Is(err, fault.ErrUnsupported) {
		t.Errorf("%v is not ErrUnsupported", err)
	}
	if err := p.Check(t.Context(), providers.Spec{Name: "copy", From: &providers.Snapshot{KubernetesVersion: "v1.37.2"}}); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("a snapshot without nodes: %v", err)
	}
	halfMade(t, p.opts.Dir, providers.Spec{Name: "half"})
	if _, err := p.SaveSnapshot(t.Context(), providers.Ref{Name: "half"}, t.TempDir(), nil); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("a half-created cluster: %v", err)
	}
}

package state_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func record(name string) state.Record {
	expires := time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC)
	return state.Record{
		Name:           name,
		Flavor:         "kwok",
		Phase:          state.PhaseCreated,
		ID:             "id-1",
		CreatedAt:      expires.Add(-time.Hour),
		ExpiresAt:      &expires,
		Profile:        "web",
		Context:        "kwok-" + name,
		Identity:       "sha256:00",
		KubeconfigPath: "/home/u/.kube/config",
		Spec:           providers.Spec{Name: name, Workers: 2, Ports: []providers.Port{{Host: 80, Container: 80}}},
		Traits:         providers.Traits{RunsPods: true, HostPorts: providers.HostPortsNode},
	}
}

func TestPutGetDelete(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	s := state.Open(dir)
	if _, err := s.Get("lab"); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("Get before Put: %v; want ErrNotFound", err)
	}
	want := record("lab")
	for _, phase := range []state.Phase{state.PhaseCreating, state.PhaseCreated, state.PhaseDeleting} {
		want.Phase = phase
		if err := s.Put(want); err != nil {
			t.Fatal(err)
		}
		got, err := s.Get("lab")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("read back (-want +got):\n%s", diff)
		}
	}
	checkModes(t, dir)

	for range 2 { // the second time there is no record
		if err := s.Delete("lab"); err != nil {
			t.Fatal(err)
		}
	}
	noTrace(t, dir)
}

func checkModes(t *testing.T, dir string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		return // Windows has no such modes
	}
	for path, want := range map[string]os.FileMode{
		dir:                                0o700,
		dir + "/clusters/lab":              0o700,
		dir + "/clusters/lab/cluster.json": 0o600,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
}

func TestDamagedRecordStays(t *testing.T) {
	t.Parallel()
	good := readRecord(t)
	tests := map[string]struct {
		data string
		says string
		hint string
	}{
		"empty":          {"", "it is empty", "rm -r"},
		"cut off":        {good[:len(good)/2], "unexpected end", "rm -r"},
		"not JSON":       {"hello", "invalid character", "rm -r"},
		"a list":         {"[]", "array", "rm -r"},
		"another kind":   {strings.Replace(good, "ClusterRecord", "Cluster", 1), `it is a "Cluster"`, "rm -r"},
		"no version":     {`{"name":"lab"}`, `of ""`, "rm -r"},
		"another name":   {strings.Replace(good, `"name": "lab"`, `"name": "other"`, 1), `record of "other"`, "rm -r"},
		"unknown phase":  {strings.Replace(good, `"created"`, `"eaten"`, 1), `phase is "eaten"`, "rm -r"},
		"no flavor":      {strings.Replace(good, `"kwok"`, `""`, 1), "no flavor", "rm -r"},
		"wrong type":     {strings.Replace(good, `"kwok"`, `7`, 1), "number", "rm -r"},
		"newer beta":     {strings.Replace(good, "lab/v1alpha1", "lab/v1beta1", 1), "newer lab", "upgrade lab"},
		"newer and else": {`{"apiVersion":"lab/v2","kind":"Thing","name":7}`, "newer lab", "upgrade lab"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "my lab") // the hint must quote the blank
			path := writeRaw(t, dir, "lab", tt.data)
			s := state.Open(dir)
			_, err := s.Get("lab")
			if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("Get: %v; want ErrInvalid that says %q and names %s", err, tt.says, path)
			}
			hint := fault.HintOf(err)
			if !strings.Contains(hint, tt.hint) || strings.Contains(hint, "rm -r") && !strings.Contains(hint, "rm -r '"+filepath.Dir(path)+"'") {
				t.Errorf("the hint is %q; want %q in it", hint, tt.hint)
			}
			if err := s.Put(record("lab")); !errors.Is(err, fault.ErrInvalid) {
				t.Errorf("Put over it: %v; want ErrInvalid", err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != tt.data {
				t.Errorf("the file was changed to %q, %v", got, err)
			}
		})
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := state.Open(dir)
	if got, err := s.List(); got != nil || err != nil {
		t.Errorf("List of nothing: %v, %v", got, err)
	}
	for _, name := range []string{"bb", "aa"} {
		if err := s.Put(record(name)); err != nil {
			t.Fatal(err)
		}
	}
	writeRaw(t, dir, "bad1", "{")
	writeRaw(t, dir, "bad2", "")
	// The temporary file of a killed writer, a cluster that is only locked, and other files.
	for _, path := range []string{"cc/.cluster.json.lab-1", "dd/lock", "Not_A_Name/cluster.json", "file"} {
		path = filepath.Join(dir, "clusters", path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("junk"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := s.List()
	if diff := cmp.Diff([]state.Record{record("aa"), record("bb")}, got); diff != "" {
		t.Errorf("List (-want +got):\n%s", diff)
	}
	for _, bad := range []string{"bad1", "bad2"} {
		if err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("problems: %v; want %s named", err, bad)
		}
	}
	if err != nil && strings.Contains(err.Error(), "junk") {
		t.Errorf("problems name a file that is no record: %v", err)
	}
}

// A file instead of the directory is an error for root, too.
func TestUnusableDirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := state.Open(dir)
	s.Patience = 50 * time.Millisecond
	calls := map[string]func() error{
		"Get":    func() error { _, err := s.Get("lab"); return err },
		"Put":    func() error { return s.Put(record("lab")) },
		"Delete": func() error { return s.Delete("lab") },
		"List":   func() error { _, err := s.List(); return err },
		"Lock":   func() error { _, err := s.Lock(t.Context(), "lab"); return err },
	}
	for name, call := range calls {
		err := call()
		if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v; want ErrUnavailable that names %s", name, err, dir)
		}
		if !strings.Contains(fault.HintOf(err), "LAB_HOME") {
			t.Errorf("%s has the hint %q", name, fault.HintOf(err))
		}
	}
}

func TestInvalidNames(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := state.Open(filepath.Join(dir, "state"))
	for _, name := range []string{"", "..", "a/b", "../../etc", "UPPER"} {
		_, get := s.Get(name)
		_, lock := s.Lock(t.Context(), name)
		for call, err := range map[string]error{"Get": get, "Lock": lock, "Delete": s.Delete(name), "Put": s.Put(record(name))} {
			if !errors.Is(err, fault.ErrInvalid) {
				t.Errorf("%s(%q): %v; want ErrInvalid", call, name, err)
			}
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("invalid names left %v", entries)
	}
}

func TestExpired(t *testing.T) {
	t.Parallel()
	r := record("lab")
	for shift, want := range map[time.Duration]bool{-time.Second: false, 0: true, time.Second: true} {
		if got := r.Expired(r.ExpiresAt.Add(shift)); got != want {
			t.Errorf("Expired %v after the end is %v", shift, got)
		}
	}
	if (state.Record{}).Expired(time.Now()) {
		t.Error("a cluster without an end is expired")
	}
}

// readRecord returns the text of a good record of "lab".
func readRecord(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := state.Open(dir).Put(record("lab")); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "clusters", "lab", "cluster.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func writeRaw(t testing.TB, dir, name, data string) string {
	t.Helper()
	path := filepath.Join(dir, "clusters", name, "cluster.json")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A record that cannot be read is reported with its name: its cluster may exist.
func TestUnreadableRecord(t *testing.T) {
	t.Parallel()
	s := state.Open(t.TempDir())
	if err := os.MkdirAll(filepath.Join(s.Dir("demo"), "cluster.json"), 0o700); err != nil { // also root cannot read it
		t.Fatal(err)
	}
	_, problems := s.List()
	bad, ok := errors.AsType[*state.RecordError](problems)
	if !ok || bad.Name != "demo" || !errors.Is(problems, fault.ErrUnavailable) || errors.Is(problems, state.ErrUnreadable) {
		t.Errorf("%v, want a RecordError of demo that is ErrUnavailable", problems)
	}
}

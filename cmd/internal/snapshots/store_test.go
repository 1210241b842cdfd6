package snapshots_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/snapshots"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func manifest() snapshots.Manifest {
	return snapshots.Manifest{
		CreatedAt: time.Date(2027, 1, 2, 3, 4, 5, 0, time.UTC), Cluster: "demo", Flavor: "kwok",
		Snapshot:    providers.Snapshot{Arch: "amd64", KubernetesVersion: "v1.37.2", Details: map[string]string{"a": "b"}},
		Spec:        providers.Spec{Workers: 2},
		Addons:      addons.Requests{{Addon: addons.Addon{Name: "hello"}, Values: addons.Values{"n": int64(1)}}},
		AddonStates: map[string]state.AddonState{"hello": {State: addons.StateReady}},
		Passwords:   []string{"hello: Secret hello/login"},
	}
}

// begin starts a snapshot with two files.
func begin(t *testing.T, s *snapshots.Store, name string) *snapshots.Draft {
	t.Helper()
	d, err := s.Begin(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(os.Mkdir(filepath.Join(d.Dir(), "sub"), 0o700),
		os.WriteFile(filepath.Join(d.Dir(), "etcd.db"), []byte("data"), 0o600),
		os.WriteFile(filepath.Join(d.Dir(), "sub", "file"), []byte("more data"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func save(t *testing.T, s *snapshots.Store, name string) snapshots.Manifest {
	t.Helper()
	m, err := begin(t, s, name).Commit(manifest())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func wantIs(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) || fault.HintOf(err) == "" {
		t.Errorf("error %v (hint %q), want %v and a hint", err, fault.HintOf(err), kind)
	}
}

// wantEmpty checks that nothing is left, not even a directory.
func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			t.Errorf("left behind: %s", path)
		}
		return nil
	})
}

func TestStore(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	s := snapshots.Open(dir)
	_, err := s.Get("base")
	wantIs(t, err, fault.ErrNotFound)
	_, err = s.Get("../base")
	wantIs(t, err, fault.ErrInvalid)
	wantIs(t, s.Remove(t.Context(), "base"), fault.ErrNotFound)
	wantEmpty(t, dir)

	saved := save(t, s, "base")
	got, err := s.Get("base")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(saved, got); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	want := manifest()
	want.Name, want.Files, want.Snapshot.Dir = "base", got.Files, filepath.Join(dir, "snapshots", "base", "data")
	if diff := cmp.Diff(want, got); diff != "" || got.Size() != 13 || len(got.Files) != 2 {
		t.Errorf("%d bytes (-want +got):\n%s", got.Size(), diff)
	}
	if err := got.Verify(); err != nil {
		t.Error(err)
	}
	_, err = s.Begin(t.Context(), "base")
	wantIs(t, err, fault.ErrExists)
	save(t, s, "aaa")
	all, problems := s.List()
	if len(all) != 2 || all[0].Name != "aaa" || problems != nil {
		t.Errorf("%+v, %v", all, problems)
	}
	checkModes(t, dir)
	for _, name := range []string{"base", "aaa"} {
		if err := s.Remove(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	wantEmpty(t, dir)
}

func checkModes(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
			t.Errorf("%s has the mode %v", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestTwoDrafts checks that of two saves with one name, the one that ends last fails, and leaves nothing.
func TestTwoDrafts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := snapshots.Open(dir)
	first, second := begin(t, s, "base"), begin(t, s, "base")
	if _, err := first.Commit(manifest()); err != nil {
		t.Fatal(err)
	}
	_, err := second.Commit(manifest())
	wantIs(t, err, fault.ErrExists)
	for _, d := range []*snapshots.Draft{first, second} {
		if err := d.Discard(); err != nil {
			t.Error(err)
		}
	}
	if m, err := s.Get("base"); err != nil || m.Verify() != nil {
		t.Errorf("the first snapshot: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "snapshots", ".draft-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// TestSweep checks that only the drafts of dead processes are removed.
func TestSweep(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	s := snapshots.Open(dir)
	live := begin(t, s, "base")
	for _, dead := range []string{".draft-1", ".removed-2"} {
		if err := os.MkdirAll(filepath.Join(dir, "snapshots", dead, "data"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if left := s.Leftovers(); len(left) > 0 {
		t.Errorf("while a process saves: %q", left)
	}
	if err := s.Sweep(); err != nil {
		t.Error(err)
	}
	if _, err := live.Commit(manifest()); err != nil {
		t.Fatal(err)
	}
	if left := s.Leftovers(); len(left) != 2 {
		t.Errorf("leftovers: %q", left)
	}
	if err := s.Sweep(); err != nil || len(s.Leftovers()) > 0 {
		t.Errorf("%v, leftovers: %q", err, s.Leftovers())
	}
	if _, err := s.Get("base"); err != nil {
		t.Error(err)
	}
	if err := s.Remove(t.Context(), "base"); err != nil {
		t.Error(err)
	}
	wantEmpty(t, dir)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(path string) error{
		"missing": os.Remove,
		"size":    func(path string) error { return os.Truncate(path, 2) },
		"sum":     func(path string) error { return os.WriteFile(path, []byte("DATA"), 0o600) },
	} {
		m := save(t, snapshots.Open(t.TempDir()), "base")
		if err := damage(filepath.Join(m.Snapshot.Dir, "etcd.db")); err != nil {
			t.Fatal(err)
		}
		err := m.Verify()
		wantIs(t, err, fault.ErrForeign)
		if err == nil || !strings.Contains(err.Error(), "etcd.db") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestExportImport(t *testing.T) {
	t.Parallel()
	m := save(t, snapshots.Open(t.TempDir()), "base")
	var file bytes.Buffer
	if err := m.Export(&file); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "state")
	s := snapshots.Open(dir)
	for _, name := range []string{"", "moved"} {
		got, err := s.Import(t.Context(), bytes.NewReader(file.Bytes()), name)
		if err != nil {
			t.Fatal(err)
		}
		want := m
		want.Name, want.Snapshot.Dir = got.Name, got.Snapshot.Dir
		if diff := cmp.Diff(want, got); diff != "" || got.Verify() != nil {
			t.Errorf("imported (-want +got):\n%s%v", diff, got.Verify())
		}
	}
	_, err := s.Import(t.Context(), bytes.NewReader(file.Bytes()), "")
	wantIs(t, err, fault.ErrExists)
	checkModes(t, dir)

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Import(cancelled, bytes.NewReader(file.Bytes()), "late"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if names := s.Names(); len(names) != 2 {
		t.Errorf("stored: %q", names)
	}

	empty := snapshots.Open(filepath.Join(t.TempDir(), "state"))
	for n := range file.Len() {
		if _, err := empty.Import(t.Context(), bytes.NewReader(file.Bytes()[:n]), ""); !errors.Is(err, fault.ErrForeign) && !errors.Is(err, fault.ErrInvalid) {
			t.Fatalf("truncated to %d of %d bytes: %v", n, file.Len(), err)
		}
		flipped := bytes.Clone(file.Bytes())
		flipped[n] ^= 0x10
		got, err := empty.Import(t.Context(), bytes.NewReader(flipped), "")
		if err != nil {
			continue
		}
		// A byte without meaning, such as the padding of the last block.
		got.Snapshot.Dir = m.Snapshot.Dir
		if diff := cmp.Diff(m, got); diff != "" {
			t.Errorf("byte %d was changed (-want +got):\n%s", n, diff)
		}
		if err := empty.Remove(t.Context(), "base"); err != nil {
			t.Error(err)
		}
	}
	if names := empty.Names(); len(names) > 0 {
		t.Errorf("stored: %q", names)
	}
	if left := empty.Leftovers(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestImportStaysInside checks that an archive cannot write outside its snapshot, or add files.
func TestImportStaysInside(t *testing.T) {
	t.Parallel()
	m := save(t, snapshots.Open(t.TempDir()), "base")
	manifest, err := os.ReadFile(filepath.Join(filepath.Dir(m.Snapshot.Dir), "snapshot.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../evil", "/evil", "evil", "data/../../evil", "data/more", "more/file", "snapshot.json", ""} {
		var file bytes.Buffer
		zipped := gzip.NewWriter(&file)
		archive := tar.NewWriter(zipped)
		add := func(name, content string) error {
			err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content))})
			_, failed := archive.Write([]byte(content))
			return errors.Join(err, failed)
		}
		err := errors.Join(add("snapshot.json", string(manifest)), add("data/etcd.db", "data"), add("data/sub/file", "more data"))
		if name != "" {
			err = errors.Join(err, add(name, "evil"))
		}
		if err := errors.Join(err, archive.Close(), zipped.Close()); err != nil {
			t.Fatal(err)
		}
		root := t.TempDir()
		s := snapshots.Open(filepath.Join(root, "a", "b"))
		_, err = s.Import(t.Context(), &file, "")
		if (err == nil) != (name == "") {
			t.Errorf("%q: %v", name, err)
		}
		_ = filepath.WalkDir(root, func(path string, _ fs.DirEntry, _ error) error {
			if strings.Contains(path, "evil") {
				t.Errorf("%q: wrote %s", name, path)
			}
			return nil
		})
	}
}

// TestImportOfLargeFile checks that a file that is larger than its manifest says is refused before it is written.
func TestImportOfLargeFile(t *testing.T) {
	t.Parallel()
	m := save(t, snapshots.Open(t.TempDir()), "base")
	manifest, err := os.ReadFile(filepath.Join(filepath.Dir(m.Snapshot.Dir), "snapshot.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	zipped := gzip.NewWriter(&file)
	archive := tar.NewWriter(zipped)
	err = archive.WriteHeader(&tar.Header{Name: "snapshot.json", Mode: 0o600, Size: int64(len(manifest))})
	_, failed := archive.Write(manifest)
	// The content that follows ends too early, which is another error.
	err = errors.Join(err, failed, archive.WriteHeader(&tar.Header{Name: "data/etcd.db", Mode: 0o600, Size: 1 << 40}), zipped.Close())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := snapshots.Open(t.TempDir()).Import(t.Context(), &file, ""); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("%v, want ErrInvalid", err)
	}
}

// TestImportOfDirectory checks that a file that cannot be read does not count as damaged.
func TestImportOfDirectory(t *testing.T) {
	t.Parallel()
	dir, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dir.Close() }()
	if _, err := snapshots.Open(t.TempDir()).Import(t.Context(), dir, ""); !errors.Is(err, fault.ErrInvalid) || errors.Is(err, fault.ErrForeign) {
		t.Errorf("%v, want ErrInvalid", err)
	}
}

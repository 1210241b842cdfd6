package tools_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gofrs/flock"

	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/cmd/internal/tools/toolstest"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestInstallIsIdempotent(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"kubectl", "helm", "k9s"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			fresh, err := b.install(name)
			if err != nil || !fresh {
				t.Fatalf("fresh %v, %v", fresh, err)
			}
			data, err := os.ReadFile(b.Path(name))
			if err != nil || string(data) != toolstest.Script(name) {
				t.Errorf("the program is %q, %v", data, err)
			}
			if info, err := os.Stat(b.Path(name)); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o755 {
				t.Errorf("its mode is %v, %v", info.Mode(), err)
			}
			asked := b.requests()
			if fresh, err := b.install(name); err != nil || fresh || b.requests() != asked {
				t.Errorf("again: fresh %v, %v, %d requests", fresh, err, b.requests()-asked)
			}
			if err := b.Remove(b.tool(name)); err != nil {
				t.Error(err)
			}
			b.empty()
			if err := b.Remove(b.tool(name)); !errors.Is(err, fault.ErrNotFound) {
				t.Errorf("removed twice: %v", err)
			}
		})
	}
}

// Another version in the catalog replaces the installed one. An interrupted upgrade is resumed.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	old := b.tool("kubectl")
	old.Version = "v1.36.0"
	source := func(context.Context, tools.Tool, tools.File, func(string)) ([]byte, error) { return []byte("old"), nil }
	if _, err := b.Install(t.Context(), old, source, nil); err != nil {
		t.Fatal(err)
	}
	if held, err := b.Held(old); held != "v1.36.0" || err != nil {
		t.Errorf("before: %q, %v", held, err)
	}
	if fresh, err := b.install("kubectl"); !fresh || err != nil {
		t.Errorf("fresh %v, %v", fresh, err)
	}
	if held, err := b.Held(old); held != toolstest.Version || err != nil {
		t.Errorf("after: %q, %v", held, err)
	}
	// As if lab was killed after it wrote the record.
	if err := os.WriteFile(b.Path("kubectl"), []byte("old"), 0o755); err != nil {
		t.Fatal(err)
	}
	if fresh, err := b.install("kubectl"); !fresh || err != nil {
		t.Errorf("resumed: fresh %v, %v", fresh, err)
	}
}

// Programs that are not managed by lab are neither replaced nor removed.
func TestForeignProgramStays(t *testing.T) {
	t.Parallel()
	for what, prepare := range map[string]func(*bench) error{
		"not installed by lab": func(b *bench) error { return os.MkdirAll(b.Dir, 0o700) },
		"changed":              func(b *bench) error { _, err := b.install("kubectl"); return err },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			if err := errors.Join(prepare(b), os.WriteFile(b.Path("kubectl"), []byte("mine"), 0o755)); err != nil {
				t.Fatal(err)
			}
			_, err := b.install("kubectl")
			for what, err := range map[string]error{"install": err, "remove": b.Remove(b.tool("kubectl"))} {
				if !errors.Is(err, fault.ErrForeign) || !strings.Contains(fault.HintOf(err), "mv "+b.Path("kubectl")) {
					t.Errorf("%s: %v, hint %q", what, err, fault.HintOf(err))
				}
			}
			if data, err := os.ReadFile(b.Path("kubectl")); string(data) != "mine" {
				t.Errorf("the program is %q, %v", data, err)
			}
		})
	}
}

// A name with a separator would be a file outside the directory.
func TestNameOfAnotherDirectory(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, name := range []string{"", ".", "..", "../kubectl", `..\kubectl`, "/kubectl", "bin/kubectl", "C:kubectl"} {
		tool := b.tool("kubectl")
		tool.Name = name
		source := func(context.Context, tools.Tool, tools.File, func(string)) ([]byte, error) {
			return []byte("a program"), nil
		}
		if _, err := b.Install(t.Context(), tool, source, nil); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
	b.empty()
}

func TestUnknownPlatform(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.Platform = "plan9/mips"
	if _, err := b.install("helm"); !errors.Is(err, fault.ErrUnsupported) || !strings.Contains(err.Error(), "plan9/mips") {
		t.Error(err)
	}
	if b.requests() != 0 {
		t.Error("lab made a request")
	}
	b.empty()
	b.Platform = "windows/arm64"
	if path := b.Path("k9s"); !strings.HasSuffix(path, "k9s.exe") {
		t.Error(path)
	}
}

func TestUnwritableDirectory(t *testing.T) {
	t.Parallel()
	for what, prepare := range map[string]func(b *bench) error{
		"a file in its place": func(b *bench) error {
			b.Dir = b.t.TempDir() + "/file/bin"
			return os.WriteFile(strings.TrimSuffix(b.Dir, "/bin"), nil, 0o600)
		},
		"a directory for a record": func(b *bench) error { return os.MkdirAll(b.Dir+"/.helm.json/x", 0o700) },
	} {
		b := newBench(t)
		if err := prepare(b); err != nil {
			t.Fatal(err)
		}
		_, err := b.install("helm")
		if !errors.Is(err, fault.ErrUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := os.Stat(b.Path("helm")); err == nil {
			t.Errorf("%s: the program is installed", what)
		}
	}
}

// If lab cannot read its record, it changes nothing.
func TestDamagedRecord(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if _, err := b.install("helm"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.Dir+"/.helm.json", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := b.Remove(b.tool("helm"))
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(fault.HintOf(err), "mv ") {
		t.Errorf("%v, hint %q", err, fault.HintOf(err))
	}
	if _, err := os.Stat(b.Path("helm")); errors.Is(err, fs.ErrNotExist) {
		t.Error("the program was removed")
	}
}

func TestConcurrentInstalls(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	errs := make(chan error)
	for range 8 {
		go func() {
			_, err := b.install("k9s")
			errs <- err
		}()
	}
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if held, err := b.Held(b.tool("k9s")); held != toolstest.Version || err != nil {
		t.Errorf("%q, %v", held, err)
	}
	if err := b.Remove(b.tool("k9s")); err != nil {
		t.Error(err)
	}
	b.empty()
}

// A killed process leaves temporary files. The next lab removes them, but not while a process
// writes, and no other files.
func TestLeftoversOfKilledProcess(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no locks on directories")
	}
	b := newBench(t)
	if err := os.MkdirAll(b.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	leftovers, others := []string{".helm.lab-123", "..helm.json.lab-4"}, []string{".helm.lab-notes", ".k9s.lab-5"}
	for _, name := range slices.Concat(leftovers, others) {
		if err := os.WriteFile(filepath.Join(b.Dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(when string, names []string, want bool) {
		t.Helper()
		for _, name := range names {
			if _, err := os.Stat(filepath.Join(b.Dir, name)); (err == nil) != want {
				t.Errorf("%s: %s exists: %v, want %v", when, name, err == nil, want)
			}
		}
	}
	writer := flock.New(b.Dir, flock.SetFlag(os.O_RDONLY))
	if locked, err := writer.TryRLock(); !locked || err != nil {
		t.Fatal(locked, err)
	}
	if _, err := b.install("helm"); err != nil {
		t.Fatal(err)
	}
	check("during another installation", slices.Concat(leftovers, others), true)
	if err := errors.Join(writer.Unlock(), b.Remove(b.tool("helm"))); err != nil {
		t.Fatal(err)
	}
	check("after the removal", leftovers, false)
	check("after the removal", others, true)
}

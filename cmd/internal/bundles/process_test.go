//go:build unix

package bundles

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/images/store"
	"github.com/clusterlab-dev/lab/providers"
)

// importVariable makes the test binary a process that imports the bundle of a file into the store in a directory.
const importVariable = "LAB_TEST_IMPORT_TO"

func TestMain(m *testing.M) {
	if dir := os.Getenv(importVariable); dir != "" {
		if err := importInto(dir, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func importInto(dir, file string) error {
	set, err := providers.NewSet()
	if err != nil {
		return err
	}
	b := &Bundles{
		Store: store.Open(dir, store.Options{Free: func(string) (int64, error) { return math.MaxInt64, nil }}),
		Set:   set, Dir: os.TempDir(), Platform: platform, Lab: "v1.0.0",
		Tools:     tools.Installer{Dir: filepath.Join(dir, "bin"), Platform: platform},
		KeepChart: func(addons.Chart, []byte) error { return nil },
		Missing:   func(string) bool { return true },
	}
	f, err := OpenFile(file)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	_, err = b.Import(context.Background(), f, nil)
	return err
}

// TestImportTogether checks that processes that import the same bundle at the same time all succeed, while another one
// prunes the cache, which contains a part of the bundle.
func TestImportTogether(t *testing.T) {
	t.Parallel()
	from, to := newMachine(t), newMachine(t)
	b := from.class(t)
	file := filepath.Join(t.TempDir(), "class.lab")
	check(t, os.WriteFile(file, from.file(t, b), 0o600))
	var all []*exec.Cmd
	for range 3 {
		to.image(t, "base", strings.Repeat("db", 4096)) // what only the cache has may be pruned
		cmd := exec.CommandContext(t.Context(), os.Args[0], file)
		cmd.Env = append(os.Environ(), importVariable+"="+to.Store.Dir())
		cmd.Stderr = &bytes.Buffer{}
		check(t, cmd.Start())
		all = append(all, cmd)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for _, cmd := range all {
			if err := cmd.Wait(); err != nil {
				t.Errorf("%v: %s", err, cmd.Stderr)
			}
		}
	}()
	for running := true; running; {
		_, err := to.Store.Prune(t.Context(), 0)
		check(t, err)
		select {
		case <-ended:
			running = false
		default:
		}
	}
	if _, err := to.Verify(t.Context(), "class"); err != nil {
		t.Error(err)
	}
}

// TestPruneDuringCreate checks that a bundle can be completed although the cache is pruned between any two of its steps.
func TestPruneDuringCreate(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	root := m.image(t, "base", "web") // in the cache before
	old := m.Store
	leased, release, err := m.leased(t.Context())
	check(t, err)
	c := &collector{Bundles: leased, bundle: Bundle{Name: "class", Platform: platform}}
	prune := func() {
		t.Helper()
		_, err := old.Prune(t.Context(), 0)
		check(t, err)
	}
	check(t, c.use(t.Context(), root))
	prune()
	check(t, c.add(t.Context(), Item{Kind: KindImage, Name: web, manifest: root}))
	check(t, c.artifact(t.Context(), Item{Kind: KindTool, Name: "kubectl"}, []byte("a tool")))
	prune()
	_, err = c.finish(t.Context())
	check(t, err)
	check(t, release())
	prune()
	if _, err := m.Verify(t.Context(), "class"); err != nil {
		t.Error(err)
	}
}

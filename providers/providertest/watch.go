package providertest

import (
	"io/fs"
	"log"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// usersKubeconfig has a current context, which every tool likes to change.
const usersKubeconfig = "apiVersion: v1\nkind: Config\ncurrent-context: of-the-user\n"

// isolateHome gives the test a home directory with kubeconfigs where tools look for them, and
// returns a check that they have not changed.
func isolateHome(t *testing.T) func(*testing.T) {
	home := t.TempDir()
	dir := filepath.Join(home, ".kube")
	named := filepath.Join(dir, "named")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "config"), named} {
		if err := os.WriteFile(path, []byte(usersKubeconfig), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("KUBECONFIG", named+string(filepath.ListSeparator)+filepath.Join(dir, "absent"))
	before := snapshot(t, dir)
	return func(t *testing.T) {
		if diff := cmp.Diff(before, snapshot(t, dir)); diff != "" {
			t.Errorf("~/.kube changed (-before +after):\n%s", diff)
		}
	}
}

// snapshot returns the contents of all files below dir, by their relative paths.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	contents := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(dir, path) // path starts with dir
		contents[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return contents
}

// capturePrints redirects the output of the process into a file until t ends, and returns a
// check that it is empty.
func capturePrints(t *testing.T) func(*testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "printed"))
	if err != nil {
		t.Fatal(err)
	}
	stdout, stderr, logger := os.Stdout, os.Stderr, log.Writer()
	os.Stdout, os.Stderr = f, f
	log.SetOutput(f)
	t.Cleanup(func() {
		os.Stdout, os.Stderr = stdout, stderr
		log.SetOutput(logger)
		f.Close()
	})
	return func(t *testing.T) {
		printed, err := os.ReadFile(f.Name())
		wantNoError(t, err)
		if len(printed) > 0 {
			t.Errorf("it printed:\n%s", printed)
		}
	}
}

// goroutines returns the stacks of all goroutines by their number, except those that contain a
// function of ignored.
func goroutines(ignored []string) map[string]string {
	buf := make([]byte, 1<<20)
	for n := runtime.Stack(buf, true); n == len(buf); n = runtime.Stack(buf, true) {
		buf = make([]byte, 2*len(buf))
	}
	stacks := map[string]string{}
	for stack := range strings.SplitSeq(strings.TrimRight(string(buf), "\x00"), "\n\n") {
		contains := func(function string) bool { return strings.Contains(stack, function) }
		if id, _, ok := strings.Cut(stack, " ["); ok && !slices.ContainsFunc(ignored, contains) {
			stacks[id] = stack
		}
	}
	return stacks
}

// wantGoroutines checks that goroutines which are not in before end soon.
func wantGoroutines(t *testing.T, before map[string]string, ignored []string) {
	// The test's own goroutine is younger than before.
	ignored = append([]string{"providertest.wantGoroutines"}, ignored...)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(5 * time.Second); ; <-tick.C {
		left := goroutines(ignored)
		maps.DeleteFunc(left, func(id, _ string) bool { return before[id] != "" })
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			for _, stack := range left {
				t.Errorf("still running:\n%s", stack)
			}
			return
		}
	}
}

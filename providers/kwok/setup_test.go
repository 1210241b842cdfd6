//go:build linux || darwin

package kwok

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

// newProvider returns a provider with a fake engine and a new directory. At the end of the test it
// checks that nothing is left. The provider waits only briefly for engines that do not react.
func newProvider(t *testing.T, behavior ...string) *Provider {
	t.Helper()
	root := filepath.Join(t.TempDir(), "kwok")
	p := withEngine(t, root, behavior...)
	t.Cleanup(func() {
		ctx := context.Background() // the test's own has ended
		clusters, err := p.List(ctx)
		for _, c := range clusters {
			err = errors.Join(err, p.Delete(ctx, providers.Ref{Name: c.Name}))
		}
		if err != nil {
			t.Errorf("cleaning up: %v", err)
		}
		for _, process := range processes(t, root) {
			t.Errorf("still running: %s", process)
		}
	})
	return p
}

// withEngine returns a provider for the same clusters with another engine.
func withEngine(t *testing.T, root string, behavior ...string) *Provider {
	p := New(Options{Dir: root, Engine: fakeEngine(t, behavior...)})
	p.grace, p.patience = 300*time.Millisecond, time.Second
	return p
}

// create creates the cluster demo, and returns its directory.
func create(t *testing.T, p *Provider) string {
	t.Helper()
	if err := p.Create(t.Context(), providers.Spec{Name: "demo"}, nil); err != nil {
		t.Fatalf("Create: %v", err)
	}
	return p.dir("demo")
}

// only returns the only cluster.
func only(t *testing.T, p *Provider) providers.Cluster {
	t.Helper()
	clusters, err := p.List(t.Context())
	if err != nil || len(clusters) != 1 {
		t.Fatalf("List: %+v, %v; want one cluster", clusters, err)
	}
	return clusters[0]
}

func wantState(t *testing.T, p *Provider, state providers.State, reason string) {
	t.Helper()
	c := only(t, p)
	if c.State != state || !strings.Contains(c.Reason, reason) || (reason == "") != (c.Reason == "") {
		t.Errorf("state is %q (%s), want %q (%s)", c.State, c.Reason, state, reason)
	}
}

// kill kills the engine of the cluster in dir.
func kill(t *testing.T, dir string) {
	t.Helper()
	pid, err := holder(dir)
	if err != nil || pid == 0 {
		t.Fatalf("the lock is held by %d, %v", pid, err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := awaitFree(t.Context(), dir, killedWithin); err != nil {
		t.Fatal(err)
	}
}

// halfMade creates the files that a crash of lab and its engine left long ago.
func halfMade(t *testing.T, root string, spec providers.Spec) {
	t.Helper()
	p := withEngine(t, root, "good")
	config, err := configFor(spec)
	if err == nil {
		err = p.claim(config)
	}
	long := time.Now().Add(-time.Hour)
	if err := errors.Join(err, os.Chtimes(filepath.Join(p.dir(spec.Name), configFile), long, long)); err != nil {
		t.Fatal(err)
	}
}

// leaks returns the files and the processes of a cluster.
func leaks(t *testing.T, root, name string) []string {
	t.Helper()
	found := processes(t, filepath.Join(root, name)+" ")
	entries, err := os.ReadDir(root)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() == name || strings.HasPrefix(entry.Name(), "."+name+".") {
			found = append(found, entry.Name())
		}
	}
	return found
}

// processes returns the engines whose arguments contain argument.
func processes(t *testing.T, argument string) []string {
	t.Helper()
	table, err := exec.Command("ps", "-A", "-ww", "-o", "pid=,args=").Output()
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	var found []string
	for line := range strings.Lines(string(table)) {
		if strings.Contains(line, engineName+" serve --dir") && strings.Contains(line, argument) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	return found
}

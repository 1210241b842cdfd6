//go:build e2e && unix

package e2e

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

// TestNameTaken has somebody make a cluster with the tool itself, under the name of one whose lab was killed while it
// made it. What lab remembers is of another cluster: it must forget that, and leave theirs alone.
func TestNameTaken(t *testing.T) {
	takesLong(t)
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		p, c := newUser(t, bed), bed.cluster(t, f.name)
		name := c.name
		_, _, pgid := p.upUntil(syscall.SIGKILL, false, 3*time.Second, name, "--flavor", f.name)
		remembered := p.remember()
		p.Must("down", name)
		p.awaitGroup(pgid)
		p.checkNothing(name)

		tool := f.provider(t, bed)
		c.must(t, c.create)
		theirs := listed(t, tool, name)
		remembered()
		if state := p.List()[name].State; state != "unknown" {
			t.Errorf("state of what lab remembers is %q", state)
		}
		if got := p.Try("up", name, "--flavor", f.name); got.Code != 4 {
			t.Errorf("lab up: exit code %d\n%s", got.Code, got.Stderr)
		}
		p.Must("down", name)
		if states := p.List(); len(states) > 0 {
			t.Errorf("lab list shows %v", states)
		}
		if now := listed(t, tool, name); now.ID != theirs.ID || now.State != providers.StateRunning {
			t.Errorf("their cluster is %+v, was %+v", now, theirs)
		}
		c.remove(t)
		p.checkNothing(name)
	})
}

// remember returns what brings back what lab remembers now.
func (p *user) remember() (restore func()) {
	p.T.Helper()
	dir, kept := filepath.Join(p.dir, "lab", "state"), p.T.TempDir()
	if err := os.CopyFS(kept, os.DirFS(dir)); err != nil {
		p.T.Fatal(err)
	}
	return func() {
		p.T.Helper()
		if err := os.CopyFS(dir, os.DirFS(kept)); err != nil {
			p.T.Fatal(err)
		}
	}
}

// listed returns a cluster as its tool shows it.
func listed(t *testing.T, p providers.Provider, name string) providers.Cluster {
	t.Helper()
	all, err := p.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("%s has no cluster %q", p.Name(), name)
	return providers.Cluster{}
}

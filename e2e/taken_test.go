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

// TestNameTaken kills lab during a creation and creates a cluster with the same name with the tool itself. lab must
// remove its record and leave the other cluster unchanged.
func TestNameTaken(t *testing.T) {
	takesLong(t)
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		p, c := newUser(t, bed), bed.cluster(t, f.name)
		name := c.name
		_, _, pgid := p.upUntil(syscall.SIGKILL, false, 3*time.Second, name, "--flavor", f.name)
		restore := p.saveRecords()
		p.Must("down", name)
		p.awaitGroup(pgid)
		p.checkNothing(name)

		tool := f.provider(t, bed)
		c.must(t, c.create)
		foreign := listed(t, tool, name)
		restore()
		if state := p.List()[name].State; state != "unknown" {
			t.Errorf("the state of the recorded cluster is %q", state)
		}
		if got := p.Try("up", name, "--flavor", f.name); got.Code != 4 {
			t.Errorf("lab up: exit code %d\n%s", got.Code, got.Stderr)
		}
		p.Must("down", name)
		if states := p.List(); len(states) > 0 {
			t.Errorf("lab list shows %v", states)
		}
		if now := listed(t, tool, name); now.ID != foreign.ID || now.State != providers.StateRunning {
			t.Errorf("the other cluster is %+v, was %+v", now, foreign)
		}
		c.remove(t)
		p.checkNothing(name)
	})
}

// saveRecords copies lab's records, and returns a function that restores them.
func (p *user) saveRecords() (restore func()) {
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

// listed returns a cluster as its adapter lists it.
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

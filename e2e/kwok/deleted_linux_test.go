//go:build e2e

package kwok

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
)

// TestDeletedDirectory deletes the directory of a cluster whose engine is frozen and cannot notice it. lab reports the
// engine, up recreates the cluster, and down deletes what is left.
func TestDeletedDirectory(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	for _, command := range []string{"up", "down"} {
		if p.during(name, syscall.SIGSTOP, 0) == nil {
			t.Fatal("no engine runs")
		}
		if err := os.RemoveAll(p.directory(name)); err != nil {
			t.Fatal(err)
		}
		got := p.List()[name]
		if got.State != providers.StateDegraded || !strings.Contains(got.Reason, "its directory was deleted, and its lab-engine") {
			t.Errorf("the cluster is %s: %s", got.State, got.Reason)
		}
		p.Must(command, name)
	}
	p.checkNothing(t, name)
}

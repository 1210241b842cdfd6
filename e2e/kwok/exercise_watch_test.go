//go:build e2e && unix

package kwok

import (
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/watch"
)

// TestWatchReacts measures the time until the first check of an exercise, and how fast two watches react to a change. -v
// prints the figures. Both watches continue after a restart of the cluster.
func TestWatchReacts(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	watches := watch.React(p.Session, name)

	// Both continue when the cluster is back, and pass only after a while.
	p.Must("stop", name)
	for _, w := range watches {
		w.Sees(t, "is stopped")
	}
	p.Must("start", name)
	p.Must("kubectl", name, "--", "set", "selector", "service", "web", "app=web", "--namespace", "service")
	for _, w := range watches {
		holding := w.Sees(t, "If it stays so for three seconds")
		if done := w.Sees(t, "Half done").Sub(holding); done < 2*time.Second {
			t.Errorf("it passed after %s, want three seconds", done)
		}
		w.Ends(t, 0)
	}
	p.watchUntilDeleted(name)
	p.forget()
}

// watchUntilDeleted checks that a watch reports a namespace that is gone, and ends when the cluster is deleted.
func (p *user) watchUntilDeleted(name string) {
	p.T.Helper()
	p.Must("exercise", "start", "tour", "--name", name)
	w := watch.Start(p.Session)
	w.Sees(p.T, "Check: lab exercise check")
	p.Must("exercise", "reset", "tour", "--remove")
	w.Sees(p.T, "a namespace of exercise tour does not exist")
	p.Must("down", name)
	w.Sees(p.T, "was deleted while exercise tour was watched")
	w.Ends(p.T, 3)
}

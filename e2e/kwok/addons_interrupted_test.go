//go:build e2e && unix

package kwok

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/addons/addontest"
)

// TestAddonsInterrupted ends lab at ten moments, by Ctrl-C and by kill in turn: each
// time the same command again makes all of it work. Most of it is waiting for hooks and
// for pods to go, so several clusters are used side by side.
func TestAddonsInterrupted(t *testing.T) {
	t.Parallel()
	for i := range fewer(5, 2) {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			addonsInterrupted(t)
		})
	}
}

func addonsInterrupted(t *testing.T) {
	p := newUser(t)
	s := newShelf(t, p)
	quick := addontest.Hanging("migrate") // but for the label that keeps it
	quick = strings.Replace(quick, "      nodeSelector: {nowhere: \"true\"}\n", "", 1)
	s.put("first", "1.0.0", true, map[string]string{
		"crds/d.yaml":      addontest.Definition("first.example.org", "Shop", 300_000, "a"),
		"templates/a.yaml": web("first", ""), "templates/job.yaml": quick,
	})
	s.put("second", "1.0.0", false, map[string]string{"templates/a.yaml": web("second", ""), "templates/job.yaml": quick}, "needs: [first]")
	s.put("beside", "1.0.0", true, map[string]string{"templates/a.yaml": web("beside", ""), "templates/job.yaml": quick})
	name := p.up()
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGKILL} {
		p.installInterrupted(name, signal, time.Duration(50+rand.IntN(3000))*time.Millisecond)
	}
	p.Must("down", name)
	s.clear()
}

// installInterrupted ends an installation after a while, does it again, and removes what is there.
func (p *user) installInterrupted(name string, signal os.Signal, after time.Duration) {
	p.T.Helper()
	install := []string{"up", name, "--addon", "second,beside"}
	cmd := p.command(install...)
	if err := cmd.Start(); err != nil {
		p.T.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Signal(signal) })
	_ = cmd.Wait() // it may have been done by then
	timer.Stop()
	p.T.Logf("%s after %s: %s", signal, after, cmd.ProcessState)
	p.Must(install...)
	for addon, got := range p.addons(name) {
		if got.State != "ready" {
			p.T.Errorf("%s after %s: %s is %+v", signal, after, addon, got)
		}
	}
	p.Must("addon", "remove", "second", "first", "beside", "--name", name)
	if left := p.revisions(name); left != "" {
		p.T.Errorf("%s after %s: removed, there is %s", signal, after, left)
	}
}

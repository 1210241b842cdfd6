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

// TestAddonsInterrupted interrupts and kills lab at random times during an installation. The same command again must
// install all addons. Most of the time is spent on waiting for hooks and pods, so several clusters are used in
// parallel.
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
	quick := addontest.Hanging("migrate") // without the label that makes it hang
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

// installInterrupted interrupts an installation after a while, repeats it, and removes the addons.
func (p *user) installInterrupted(name string, signal os.Signal, after time.Duration) {
	p.T.Helper()
	install := []string{"up", name, "--addon", "second,beside"}
	cmd := p.command(install...)
	if err := cmd.Start(); err != nil {
		p.T.Fatal(err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Signal(signal) })
	_ = cmd.Wait() // it may have finished before
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
		p.T.Errorf("%s after %s: after the removal there is %s", signal, after, left)
	}
}

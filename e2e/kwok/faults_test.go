//go:build e2e && unix

package kwok

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/clusterlab-dev/lab/e2e/faults"
	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// TestFaults disturbs lab in the middle of its commands, beside another LAB_HOME's cluster in the same kubeconfig and
// beside Helm releases that lab did not install. The engine is the node, too: it is killed, and it is frozen.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("left out by -short")
	}
	t.Parallel()
	p, other := newUser(t), newUser(t)
	if err := os.Remove(other.kubeconfig); err != nil {
		t.Fatal(err)
	}
	other.kubeconfig = p.kubeconfig
	theirs := other.up()
	t.Cleanup(func() { other.Must("down", theirs) })
	faults.Run(t, faults.Harness{
		Rounds: 10,
		Flavor: []string{"--flavor", "kwok", "--workers", "1"},
		Lab: func(_ context.Context, args ...string) *exec.Cmd {
			return p.command(args...)
		},
		Name:       session.RandomName,
		Kubeconfig: p.kubeconfig,
		Foreign:    "kwok-" + theirs,
		Outside: func(t *testing.T) string {
			return fmt.Sprint(other.status(theirs), other.processes(), "\n", other.files(theirs))
		},
		Outage:  func(_ *testing.T, name string) func() { return p.during(name, syscall.SIGKILL, 0) },
		Pause:   func(_ *testing.T, name string) func() { return p.during(name, syscall.SIGSTOP, syscall.SIGCONT) },
		Nothing: p.nothing,
	})
}

// during sends a signal to the engine of a cluster, and returns what sends it the other; nil where it has none.
func (p *user) during(name string, begin, end syscall.Signal) func() {
	engines := maps.Clone(p.processes())
	maps.DeleteFunc(engines, func(_ int, command string) bool {
		return !strings.Contains(command, "lab-engine") || !strings.Contains(command, name)
	})
	if len(engines) == 0 {
		return nil
	}
	for pid := range engines {
		_ = syscall.Kill(pid, begin) // it may have ended
	}
	return func() {
		for pid := range engines {
			_ = syscall.Kill(pid, end) // 0 sends none
		}
	}
}

// files returns what lab remembers of a cluster, and what its engine's directory holds but for the data and the logs,
// which it writes itself.
func (p *user) files(name string) string {
	p.T.Helper()
	var found []string
	for _, path := range filesBelow(p.T, p.labHome) {
		rel, _ := filepath.Rel(p.directory(name), path)
		if text, err := os.ReadFile(path); err == nil && !strings.HasPrefix(rel, "etcd") && filepath.Ext(path) != ".log" {
			found = append(found, fmt.Sprintf("%s %x", path, sha256.Sum256(text)))
		}
	}
	slices.Sort(found)
	return strings.Join(found, "\n")
}

// nothing checks that there is nothing left of a cluster.
func (p *user) nothing(t *testing.T, name string) {
	t.Helper()
	saved, _ := filepath.Glob(filepath.Join(p.root, "tmp", "lab-"+name+"-logs-*")) // of what failed, and it said where
	for _, dir := range saved {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	}
	for pid, command := range p.processes() {
		t.Errorf("left behind: process %d: %s", pid, command)
	}
	for _, path := range p.left() {
		t.Errorf("left behind: %s", path)
	}
	if left := p.List(); len(left) > 0 {
		t.Errorf("after %s lab list shows %v", name, left)
	}
	if strings.Contains(read(t, p.kubeconfig), name) {
		t.Errorf("%s is left in the kubeconfig", name)
	}
}

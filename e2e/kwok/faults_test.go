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

// TestFaults interrupts lab during its commands, next to a cluster of another LAB_HOME in the same kubeconfig and
// Helm releases that lab did not install. The engine process is also the node: it is killed and frozen.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped by -short")
	}
	t.Parallel()
	p, other := newUser(t), newUser(t)
	if err := os.Remove(other.kubeconfig); err != nil {
		t.Fatal(err)
	}
	other.kubeconfig = p.kubeconfig
	foreign := other.up()
	t.Cleanup(func() { other.Must("down", foreign) })
	faults.Run(t, faults.Harness{
		Rounds: 10,
		Flavor: []string{"--flavor", "kwok", "--workers", "1"},
		Lab: func(_ context.Context, args ...string) *exec.Cmd {
			return p.command(args...)
		},
		Name:       session.RandomName,
		Kubeconfig: p.kubeconfig,
		Foreign:    "kwok-" + foreign,
		Outside: func(t *testing.T) string {
			return fmt.Sprint(other.status(foreign), other.processes(), "\n", other.files(foreign))
		},
		Outage:  func(_ *testing.T, name string) func() { return p.during(name, syscall.SIGKILL, 0) },
		Pause:   func(_ *testing.T, name string) func() { return p.during(name, syscall.SIGSTOP, syscall.SIGCONT) },
		Nothing: p.checkNothing,
	})
}

// during sends the signal begin to the engine of a cluster, and returns a function that sends end; nil if no engine
// runs.
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
			_ = syscall.Kill(pid, end) // 0 sends no signal
		}
	}
}

// files returns lab's files of a cluster with their checksums, except the data and the logs that the engine writes.
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

// checkNothing checks that nothing is left of a cluster.
func (p *user) checkNothing(t *testing.T, name string) {
	t.Helper()
	saved, _ := filepath.Glob(filepath.Join(p.root, "tmp", "lab-"+name+"-logs-*")) // of failed commands
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

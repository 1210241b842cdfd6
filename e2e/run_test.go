//go:build e2e && unix

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRun runs commands with `lab run`. Nothing may be left, whether the command fails or lab is interrupted or
// killed. With -short, lab is only killed, and the next lab process must clean up.
func TestRun(t *testing.T) {
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		oneWillDo(t, f, "k3d")
		t.Setenv("PATH", filepath.Join(bed.dir, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"))
		t.Run("fails", func(t *testing.T) { takesLong(t); runFails(t, bed, f) })
		t.Run("is cancelled", func(t *testing.T) { takesLong(t); runEnds(t, bed, f, syscall.SIGTERM) })
		t.Run("is killed", func(t *testing.T) { runEnds(t, bed, f, syscall.SIGKILL) })
	})
}

func runFails(t *testing.T, bed *bed, f flavor) {
	p := newUser(t, bed)
	logs := t.TempDir()
	got := p.Try("run", "--flavor", f.name, "--profile", "ci", "--logs", logs, "--",
		"sh", "-c", "echo $LAB_CLUSTER; kubectl get nodes --no-headers; exit 7")
	name, nodes, _ := strings.Cut(got.Stdout, "\n")
	if got.Code != 7 || strings.Count(nodes, "\n") != 1 || !strings.Contains(nodes, " Ready ") {
		t.Errorf("exit code %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	if files := filesBelow(t, logs); len(files) < 4 || !strings.Contains(strings.Join(files, "\n"), "events.txt") {
		t.Errorf("the logs are %q", files)
	}
	p.checkNothing(name)
}

// runEnds sends a signal to lab while its command runs.
func runEnds(t *testing.T, bed *bed, f flavor, signal syscall.Signal) {
	p := newUser(t, bed)
	began := filepath.Join(p.dir, "began")
	cmd := p.lab(t.Context(), "run", "--flavor", f.name, "--profile", "ci", "--",
		"sh", "-c", "echo $LAB_CLUSTER > began.new; mv began.new began; while [ -e began ]; do sleep 0.1; done")
	var said bytes.Buffer
	cmd.Stderr = &said
	cmd.WaitDelay = time.Second // the command outlives a killed lab, and holds its pipes
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	name := ""
	for deadline := time.Now().Add(3 * time.Minute); name == "" && time.Now().Before(deadline); <-tick.C {
		text, _ := os.ReadFile(began)
		name = strings.TrimSpace(string(text))
	}
	_ = cmd.Process.Signal(signal)
	_ = cmd.Wait()
	want := 143
	if signal == syscall.SIGKILL {
		want = -1
		if states := p.List(); states[name].State != "running" {
			t.Errorf("lab list shows %v", states)
		}
		p.Must("gc")
	}
	if code := cmd.ProcessState.ExitCode(); code != want || name == "" {
		t.Errorf("exit code %d of a run on %q\n%s", code, name, said.String())
	}
	_ = os.Remove(began)
	p.checkNothing(name)
}

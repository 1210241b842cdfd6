//go:build e2e && unix

package kwok

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
	"github.com/clusterlab-dev/lab/providers"
)

// lastStep is the last step of a creation. After it there is nothing to interrupt.
const lastStep = "Waiting for nodes"

// TestInterrupt ends lab at each step of a creation. After a signal that lab can handle, nothing may be left. After
// SIGKILL, the next lab process must clean up. With -short, SIGTERM and SIGHUP are sent at one step only.
func TestInterrupt(t *testing.T) {
	steps := stepsOfUp(t)
	t.Logf("steps: %q", steps)
	if len(steps) < 5 {
		t.Fatal("too few")
	}
	// Ctrl-C, a cancelled pipeline, a closed terminal, and kill -9.
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGKILL} {
		for n, step := range steps {
			if alike := signal == syscall.SIGTERM || signal == syscall.SIGHUP; alike && testing.Short() && n != len(steps)/2 {
				continue
			}
			t.Run(fmt.Sprintf("%v at %d %s", signal, n, step), func(t *testing.T) {
				t.Parallel()
				p, name := newUser(t), session.RandomName()
				got := p.upUntil(name, n, signal)
				switch {
				case got.Code == 0 && step == lastStep: // it had finished
					p.Must("down", name)
				case signal == syscall.SIGKILL:
					p.afterKill(name, got, n%2 == 0)
				default:
					p.afterInterrupt(name, got)
				}
			})
		}
	}
}

// event is a line of `--progress json`.
type event struct{ Step, State string }

// stepsOfUp returns the steps of a creation in the order of their start, which is nearly the same each time.
func stepsOfUp(t *testing.T) []string {
	t.Helper()
	p, name := newUser(t), session.RandomName()
	got := p.upUntil(name, -1, 0)
	var steps []string
	for line := range strings.Lines(got.Stderr) {
		var e event
		if json.Unmarshal([]byte(line), &e) == nil && e.State == "started" {
			steps = append(steps, e.Step)
		}
	}
	p.Must("down", name)
	return steps
}

// upUntil creates a cluster, and sends lab a signal when step n starts. A negative n sends no signal.
func (p *user) upUntil(name string, n int, signal syscall.Signal) session.Result {
	p.T.Helper()
	return p.until(n, signal, "up", name, "--flavor", "kwok", "--workers", "1")
}

// until runs lab, and sends it a signal when step n starts. A negative n sends no signal.
func (p *user) until(n int, signal syscall.Signal, args ...string) session.Result {
	p.T.Helper()
	cmd := p.command(append(args, "--progress", "json")...)
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		p.T.Fatal(err)
	}
	said, started := strings.Builder{}, 0
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.State != "started" {
			continue
		}
		if started == n {
			_ = cmd.Process.Signal(signal) // the exit code shows whether lab had ended
		}
		started++
	}
	_, _ = io.Copy(io.Discard, stderr)
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		p.T.Error(err)
	}
	return session.Result{Stderr: said.String(), Code: cmd.ProcessState.ExitCode()}
}

func (p *user) afterInterrupt(name string, got session.Result) {
	p.T.Helper()
	last := got.Stderr[strings.LastIndex(strings.TrimSpace(got.Stderr), "\n")+1:]
	if got.Code != 130 || !strings.Contains(last, `"kind":"Error","code":130,"reason":"Interrupted"`) {
		p.T.Errorf("exit code %d, last words: %s", got.Code, last)
	}
	if strings.Contains(got.Stderr, "context canceled") {
		p.T.Errorf("the error contains \"context canceled\": %s", got.Stderr)
	}
	if left := p.List(); len(left) > 0 {
		p.T.Errorf("lab list shows %v", left)
	}
}

// afterKill checks that lab lists the leftovers of a killed process, and that up and down handle them.
func (p *user) afterKill(name string, got session.Result, again bool) {
	p.T.Helper()
	if got.Code != -1 {
		p.T.Errorf("exit code %d", got.Code)
	}
	seen := p.List()[name]
	switch seen.State {
	case providers.StateDegraded, providers.StateCreating:
	case providers.StateRunning: // it was created, but not ready yet
	default:
		p.T.Errorf("lab list says %s: %s", seen.State, seen.Reason)
	}
	if again {
		p.Must("up", name, "--flavor", "kwok")
		p.checkCurrent("kwok-" + name)
	}
	p.Must("down", name)
}

// TestKilledBeforeEngine kills lab as soon as the record exists. The engine, if there is one, has not read its
// arguments yet.
func TestKilledBeforeEngine(t *testing.T) {
	t.Parallel()
	p, name := newUser(t), session.RandomName()
	cmd := p.command("up", name, "--flavor", "kwok", "--progress", "quiet")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.waitForFile("state", "clusters", name, "cluster.json")
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	p.Must("down", name)
	// An engine that down did not find ends by itself, because its directory is gone.
	p.waitForDeath(name)
}

// TestInterruptStart checks that an interrupted start keeps the cluster.
func TestInterruptStart(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	deploy(t, p.client(name), "web", 1)
	p.Must("stop", name)
	cmd := p.command("start", name, "--progress", "quiet")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.waitForProcess("lab-engine")
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d", code)
	}
	if left := p.processes(); len(left) > 0 {
		t.Errorf("processes: %v", left)
	}
	p.Must("start", name)
	available(t, p.client(name), "web", time.Minute)
	p.Must("down", name)
}

// TestTimeout gives lab too little time to create a cluster with --rollback. Only saved logs may be left.
func TestTimeout(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	for _, timeout := range []string{"1ms", "300ms", "700ms"} {
		p.fails(7, []string{"timed out", "--timeout"}, "up", "--flavor", "kwok", "--rollback", "--timeout", timeout)
		if left := p.List(); len(left) > 0 {
			t.Errorf("after %s lab list shows %v", timeout, left)
		}
		saved, _ := filepath.Glob(filepath.Join(p.root, "tmp", "lab-lab-logs-*"))
		for _, dir := range saved {
			if err := os.RemoveAll(dir); err != nil {
				t.Error(err)
			}
		}
	}
}

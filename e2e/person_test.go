//go:build e2e && unix

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// person uses lab with the test bed's images, in a home of their own.
type person struct {
	t   *testing.T
	bed *bed
	dir string
	env []string
}

// newPerson returns a person, of whom nothing may be left in the end but the home.
func newPerson(t *testing.T, bed *bed) *person {
	t.Helper()
	p := &person{t: t, bed: bed, dir: t.TempDir()}
	p.env = []string{"HOME=" + p.dir, "LAB_HOME=" + filepath.Join(p.dir, "lab"), "TMPDIR=" + filepath.Join(p.dir, "tmp"),
		"KUBECONFIG=" + filepath.Join(p.dir, "kubeconfig"), "LAB_CONFIG="}
	if config := filepath.Join(bed.dir, "config.yaml"); len(bed.kind) > 0 {
		p.env[len(p.env)-1] += config
	}
	if err := os.Mkdir(filepath.Join(p.dir, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	return p
}

// lab prepares a call in a process group of its own, as a shell has it.
func (p *person) lab(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(os.Getenv(binDir), "lab"), args...)
	cmd.Env, cmd.Dir = append(os.Environ(), p.env...), p.dir
	cmd.WaitDelay = 10 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// run calls lab and returns what it printed to stdout, and to stderr.
func (p *person) run(args ...string) (stdout, stderr string, code int) {
	p.t.Helper()
	var out, err bytes.Buffer
	cmd := p.lab(p.t.Context(), args...)
	cmd.Stdout, cmd.Stderr = &out, &err
	var exit *exec.ExitError
	if e := cmd.Run(); e != nil && !errors.As(e, &exit) {
		p.t.Fatal(e)
	}
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

// must calls lab, ends the test where it fails, and returns what it printed.
func (p *person) must(args ...string) string {
	p.t.Helper()
	stdout, stderr, code := p.run(args...)
	if code != 0 {
		p.t.Fatalf("lab %s: exit code %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// kubectl calls the test bed's kubectl with the kubeconfig that lab has merged into.
func (p *person) kubectl(args ...string) string {
	p.t.Helper()
	cmd := p.bed.command(p.t.Context(), p.env, "kubectl", args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// apply applies a manifest.
func (p *person) apply(manifest string) {
	p.t.Helper()
	path := filepath.Join(p.t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(path, []byte(manifest), 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.kubectl("apply", "--filename="+path)
}

// states returns the states of the clusters that `lab list` shows, by name.
func (p *person) states() map[string]string {
	p.t.Helper()
	var list struct {
		Items []struct{ Name, State string }
	}
	if err := json.Unmarshal([]byte(p.must("list", "-o", "json")), &list); err != nil {
		p.t.Fatal(err)
	}
	states := map[string]string{}
	for _, c := range list.Items {
		states[c.Name] = c.State
	}
	return states
}

// upUntil calls `lab up` and sends a signal to it, and to all that it started if group is true, when a step starts
// whose name begins with step. It returns what lab said, and its exit code, -1 where the signal ended it.
func (p *person) upUntil(signal syscall.Signal, group bool, step string, args ...string) (stderr string, code int) {
	p.t.Helper()
	cmd := p.lab(p.t.Context(), append([]string{"up", "--progress", "json"}, args...)...)
	pipe, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	pid, sent := cmd.Process.Pid, false
	if group {
		pid = -pid
	}
	var said strings.Builder
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		var e struct{ Step, State string }
		if json.Unmarshal(lines.Bytes(), &e) == nil && e.State == "started" && strings.HasPrefix(e.Step, step) && !sent {
			sent = true
			if err := syscall.Kill(pid, signal); err != nil {
				p.t.Error(err)
			}
		}
	}
	_, _ = io.Copy(io.Discard, pipe)
	_ = cmd.Wait() // its code says what there is to say
	if !sent {
		p.t.Errorf("step %q never started:\n%s", step, said.String())
	}
	p.awaitGroup(cmd.Process.Pid)
	return said.String(), cmd.ProcessState.ExitCode()
}

// awaitGroup waits until nothing runs any more that a lab has started: a docker that outlives it may still make what
// it was told to.
func (p *person) awaitGroup(pid int) {
	p.t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); syscall.Kill(-pid, 0) == nil; <-tick.C {
		if time.Now().After(deadline) {
			p.t.Error("what lab started never ends")
			return
		}
	}
}

// checkNothing checks that nothing is left of a cluster: in the engine, in the kubeconfig, in lab's own directory and
// among temporary files.
func (p *person) checkNothing(name string) {
	p.t.Helper()
	left := append(leaks(p.t, name), filesBelow(p.t, filepath.Join(p.dir, "lab", "state", "kind"))...)
	for _, path := range append(filesBelow(p.t, filepath.Join(p.dir, "tmp"))[1:], filesBelow(p.t, filepath.Join(p.dir, "lab"))...) {
		if strings.Contains(path, name) || strings.HasPrefix(path, filepath.Join(p.dir, "tmp")) {
			left = append(left, path)
		}
	}
	if kubeconfig, err := os.ReadFile(filepath.Join(p.dir, "kubeconfig")); err == nil && strings.Contains(string(kubeconfig), name) {
		left = append(left, "an entry in the kubeconfig")
	}
	for _, l := range left {
		p.t.Errorf("left behind: %s", l)
	}
	if states := p.states(); len(states) > 0 {
		p.t.Errorf("lab list shows %v", states)
	}
}

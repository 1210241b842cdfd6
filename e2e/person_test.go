//go:build e2e && unix

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

	squatter string // a container that is in the way
}

// newPerson returns a person, of whom nothing may be left in the end but the home.
func newPerson(t *testing.T, bed *bed) *person {
	t.Helper()
	p := &person{t: t, bed: bed, dir: t.TempDir()}
	p.env = []string{"HOME=" + p.dir, "LAB_HOME=" + filepath.Join(p.dir, "lab"), "TMPDIR=" + filepath.Join(p.dir, "tmp"),
		"KUBECONFIG=" + filepath.Join(p.dir, "kubeconfig"), "MINIKUBE_HOME=" + bed.minikubeHome, "MINIKUBE_FORCE=true", "LAB_CONFIG="}
	if config := filepath.Join(bed.dir, "config.yaml"); len(bed.kind) > 0 {
		p.env[len(p.env)-1] += config
	}
	for _, dir := range []string{"tmp", "lab/bin"} {
		if err := os.MkdirAll(filepath.Join(p.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if own := filepath.Join(bed.dir, "bin", "lab-minikube"); isFile(own) {
		if err := os.Symlink(own, filepath.Join(p.dir, "lab", "bin", "lab-minikube")); err != nil {
			t.Fatal(err)
		}
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

// squat has somebody else take the address that a node had, while the cluster is stopped.
func (p *person) squat(network string) {
	p.t.Helper()
	p.squatter = strings.TrimSpace(docker(p.t, "run", "--detach", "--rm", "--name="+prefix+"squat-"+randomName(), "--network="+network, "--entrypoint=sleep", p.bed.kindNode(), "600"))
	p.t.Cleanup(p.unsquat)
}

// unsquat has them go.
func (p *person) unsquat() {
	p.t.Helper()
	if p.squatter != "" {
		docker(p.t, "rm", "--force", "--volumes", p.squatter)
	}
	p.squatter = ""
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

// upUntil calls `lab up` and after a while sends a signal to it, and to all that it started if group is true. Where a
// creation is quicker than that it is done again, a little earlier. It returns what lab said, its exit code, -1 where
// the signal ended it, and its process group, in which something may run on.
func (p *person) upUntil(signal syscall.Signal, group bool, after time.Duration, args ...string) (stderr string, code, pgid int) {
	p.t.Helper()
	for {
		var said bytes.Buffer
		cmd := p.lab(p.t.Context(), append([]string{"up", "--progress", "json"}, args...)...)
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			p.t.Fatal(err)
		}
		pid := cmd.Process.Pid
		if group {
			pid = -pid
		}
		sent := make(chan error, 1)
		timer := time.AfterFunc(after, func() { sent <- syscall.Kill(pid, signal) })
		_ = cmd.Wait() // its code says what there is to say
		inTime := !timer.Stop() && <-sent == nil
		if inTime && cmd.ProcessState.ExitCode() != 0 {
			return said.String(), cmd.ProcessState.ExitCode(), cmd.Process.Pid
		}
		if code := cmd.ProcessState.ExitCode(); code != 0 {
			p.t.Fatalf("exit code %d before the signal:\n%s", code, said.String())
		}
		p.must("down", args[0])
		after = after * 9 / 10
	}
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
	left := leaks(p.t, name)
	for _, f := range flavors() {
		left = append(left, filesBelow(p.t, filepath.Join(p.dir, "lab", "state", f.name))...)
		if f.left != nil {
			left = append(left, f.left(p.t, p.bed, name)...)
		}
	}
	for _, path := range append(filesBelow(p.t, filepath.Join(p.dir, "tmp"))[1:], filesBelow(p.t, filepath.Join(p.dir, "lab"))...) {
		if strings.Contains(path, "/tmp/minikube-locks-") {
			continue // all minikubes of a user share them, and none removes them
		}
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

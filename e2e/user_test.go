//go:build e2e && unix

package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// user runs lab with the test bed's images and a separate home directory.
type user struct {
	session.Session
	bed *bed
	dir string // the home directory; the directories of lab, TMPDIR and the kubeconfig are below it
	env []string

	squatter string // the container that uses the address of a node; see squat
}

// newUser returns a user with an empty home directory.
func newUser(t *testing.T, bed *bed) *user {
	t.Helper()
	p := &user{bed: bed, dir: t.TempDir()}
	p.Session = session.Session{T: t, Command: func(args ...string) *exec.Cmd { return p.lab(context.WithoutCancel(t.Context()), args...) }}
	p.env = []string{"HOME=" + p.dir, "LAB_HOME=" + filepath.Join(p.dir, "lab"), "TMPDIR=" + filepath.Join(p.dir, "tmp"),
		"KUBECONFIG=" + filepath.Join(p.dir, "kubeconfig"), "MINIKUBE_HOME=" + bed.minikubeHome, "MINIKUBE_FORCE=true", "LAB_CONFIG="}
	if config := filepath.Join(bed.dir, "config.yaml"); len(bed.flavors) > 0 {
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

// lab prepares a call of lab in a separate process group, as a shell does.
func (p *user) lab(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(os.Getenv(binDir), "lab"), args...)
	cmd.Env, cmd.Dir = append(os.Environ(), p.env...), p.dir
	cmd.WaitDelay = 10 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// kubectl runs the test bed's kubectl with the user's kubeconfig.
func (p *user) kubectl(args ...string) string {
	p.T.Helper()
	cmd := p.bed.command(p.T.Context(), p.env, "kubectl", args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.T.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (p *user) apply(manifest string) {
	p.T.Helper()
	path := filepath.Join(p.T.TempDir(), "manifest.yaml")
	if err := os.WriteFile(path, []byte(manifest), 0o600); err != nil {
		p.T.Fatal(err)
	}
	p.kubectl("apply", "--filename="+path)
}

// squat starts a container that uses the former address of a node while the cluster is stopped.
func (p *user) squat(network string) {
	p.T.Helper()
	p.squatter = strings.TrimSpace(docker(p.T, "run", "--detach", "--rm", "--name="+session.Prefix+"squat-"+session.RandomName(), "--network="+network, "--entrypoint=sleep", p.bed.kindNode(), "600"))
	p.T.Cleanup(p.unsquat)
}

// unsquat removes that container.
func (p *user) unsquat() {
	p.T.Helper()
	if p.squatter != "" {
		docker(p.T, "rm", "--force", "--volumes", p.squatter)
	}
	p.squatter = ""
}

// upUntil runs `lab up` and sends it a signal after a while, and to its child processes if group is true. If a
// creation is faster, upUntil deletes the cluster and tries again with a shorter time. It returns lab's stderr, its
// exit code (-1 if the signal ended it), and its process group, whose processes may still run.
func (p *user) upUntil(signal syscall.Signal, group bool, after time.Duration, args ...string) (stderr string, code, pgid int) {
	p.T.Helper()
	for {
		var said bytes.Buffer
		cmd := p.lab(p.T.Context(), append([]string{"up", "--progress", "json"}, args...)...)
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			p.T.Fatal(err)
		}
		pid := cmd.Process.Pid
		if group {
			pid = -pid
		}
		sent := make(chan error, 1)
		timer := time.AfterFunc(after, func() { sent <- syscall.Kill(pid, signal) })
		_ = cmd.Wait() // the exit code is checked below
		inTime := !timer.Stop() && <-sent == nil
		if inTime && cmd.ProcessState.ExitCode() != 0 {
			return said.String(), cmd.ProcessState.ExitCode(), cmd.Process.Pid
		}
		if code := cmd.ProcessState.ExitCode(); code != 0 {
			p.T.Fatalf("exit code %d before the signal:\n%s", code, said.String())
		}
		p.Must("down", args[0])
		after = after * 9 / 10
	}
}

// awaitGroup waits until all processes that lab started have ended: a docker command that outlives lab may still
// create objects.
func (p *user) awaitGroup(pid int) {
	p.T.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); syscall.Kill(-pid, 0) == nil; <-tick.C {
		if time.Now().After(deadline) {
			p.T.Error("the processes that lab started do not end")
			return
		}
	}
}

// checkNothing checks that nothing is left of a cluster in the engine, the kubeconfig, lab's directories and the
// temporary directory.
func (p *user) checkNothing(name string) {
	p.T.Helper()
	left := leaks(p.T, name)
	for _, f := range flavors() {
		left = append(left, filesBelow(p.T, filepath.Join(p.dir, "lab", "state", f.name))...)
		if f.left != nil {
			left = append(left, f.left(p.T, p.bed, name)...)
		}
	}
	for _, path := range append(filesBelow(p.T, filepath.Join(p.dir, "tmp"))[1:], filesBelow(p.T, filepath.Join(p.dir, "lab"))...) {
		if strings.Contains(path, "/tmp/minikube-locks-") {
			continue // minikube shares and never removes them
		}
		if strings.Contains(path, name) || strings.HasPrefix(path, filepath.Join(p.dir, "tmp")) {
			left = append(left, path)
		}
	}
	if kubeconfig, err := os.ReadFile(filepath.Join(p.dir, "kubeconfig")); err == nil && strings.Contains(string(kubeconfig), name) {
		left = append(left, "an entry in the kubeconfig")
	}
	for _, l := range left {
		p.T.Errorf("left behind: %s", l)
	}
	if states := p.List(); len(states) > 0 {
		p.T.Errorf("lab list shows %v", states)
	}
}

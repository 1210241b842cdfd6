//go:build !windows

package minikube

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// shell returns a Provider whose minikube is a shell script.
func shell(t *testing.T, script string) (*Provider, program) {
	t.Helper()
	path := filepath.Join(t.TempDir(), programName)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	p := New(Options{Program: path, Home: filepath.Join(t.TempDir(), ".minikube"), Dir: filepath.Join(t.TempDir(), "lab")})
	p.runner.lingers = 100 * time.Millisecond
	return p, program{path: path}
}

// TestRunEndsAll checks that minikube's children end with it, and that no files are left.
func TestRunEndsAll(t *testing.T) {
	t.Parallel()
	pids := filepath.Join(t.TempDir(), "pids")
	p, tool := shell(t, "sleep 60 & echo $! > "+pids+"; echo $$ >> "+pids+"; echo; wait\n")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		within(10*time.Second, func() bool { text, _ := os.ReadFile(pids); return strings.Count(string(text), "\n") == 2 })
		cancel()
	}()
	if err := p.runner.run(ctx, tool, "lab", quiet(), "start"); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
	text, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	for pid := range strings.FieldsSeq(string(text)) {
		if n, _ := strconv.Atoi(pid); !within(5*time.Second, func() bool { return !alive(n) }) {
			t.Errorf("process %d lives", n)
		}
	}
	if _, err := os.Stat(p.opts.Dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the directory is kept: %v", err)
	}
}

// alive reports whether a process runs. A zombie does not.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err == nil && strings.Contains(string(stat), ") Z ") {
		return false
	}
	return syscall.Kill(pid, 0) == nil
}

// TestEndOther checks that a minikube that outlived its lab is ended before the cluster is
// deleted, and that only one minikube works on a cluster.
func TestEndOther(t *testing.T) {
	p, tool := shell(t, "sleep 60 & touch started; wait\n")
	done := make(chan error, 1)
	go func() { done <- p.runner.run(context.WithoutCancel(t.Context()), tool, "lab", quiet(), "start") }()
	started := func() bool { _, err := os.Stat(filepath.Join(p.runner.scratch("lab"), "started")); return err == nil }
	if !within(5*time.Second, started) {
		t.Fatal("it never started")
	}
	if err := p.runner.run(t.Context(), tool, "lab", quiet(), "start"); !errors.Is(err, fault.ErrExists) {
		t.Errorf("two at once: %v, want ErrExists", err)
	}
	dockertest.Script(t, ready()...)
	keep(t, p, "lab", inDocker())
	if err := p.Delete(t.Context(), providers.Ref{Name: "lab"}); err != nil {
		t.Errorf("its removal: %v", err)
	}
	if err := <-done; err == nil {
		t.Error("whoever ran it was told that it ended well")
	}
	if err := endOther(p.runner.lockFile("lab"), "", p.runner.lingers); err != nil {
		t.Errorf("a lock that nobody holds is not free: %v", err)
	}
}

// TestAwaitOther checks that a start waits for a minikube that outlived its lab, and says so.
func TestAwaitOther(t *testing.T) {
	p, _ := shell(t, "")
	held, err := p.runner.hold("lab")
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 1)
	done := make(chan error, 1)
	report := event.Reporter(func(e event.Event) {
		if e.Message != "" {
			select {
			case said <- e.Message:
			default:
			}
		}
	})
	go func() {
		done <- report.Do("Starting the nodes", func(step *event.Step) error { return p.runner.awaitOther(t.Context(), "lab", step) })
	}()
	if message := <-said; !strings.Contains(message, "waiting for the minikube process") {
		t.Errorf("it says %q", message)
	}
	select {
	case err := <-done:
		t.Errorf("it did not wait: %v", err)
	default:
	}
	held.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}

	if held, err = p.runner.hold("lab"); err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = report.Do("Starting the nodes", func(step *event.Step) error { return p.runner.awaitOther(ctx, "lab", step) })
	if !errors.Is(err, fault.ErrExists) {
		t.Errorf("interrupted: %v", err)
	}
}

// TestEndOtherSparesStrangers checks that a process is not killed if it only has the ID of a
// former minikube, or if it holds the lock and lab did not start it.
func TestEndOtherSparesStrangers(t *testing.T) {
	p, _ := shell(t, "")
	dockertest.Script(t, ready()...)
	held, err := p.runner.hold("lab")
	if err != nil {
		t.Fatal(err)
	}
	start := func(files ...*os.File) *exec.Cmd {
		t.Helper()
		cmd := exec.Command("/bin/sleep", "60")
		cmd.ExtraFiles = files
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		return cmd
	}
	named, holding := start(), start(held)
	note(held, named.Process.Pid)
	held.Close()
	err = p.Delete(t.Context(), providers.Ref{Name: "lab"})
	if !errors.Is(err, fault.ErrUnavailable) || fault.HintOf(err) == "" {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
	if runtime.GOOS == "linux" && !strings.Contains(err.Error(), "process "+strconv.Itoa(holding.Process.Pid)+" (sleep) holds") {
		t.Errorf("it does not say who: %v", err)
	}
	for _, cmd := range []*exec.Cmd{named, holding} {
		if !alive(cmd.Process.Pid) {
			t.Errorf("process %d was killed", cmd.Process.Pid)
		}
	}
}

func TestRunTellsMinikubeWhereToWrite(t *testing.T) {
	t.Setenv("KUBECONFIG", "/of/the/user")
	t.Setenv("MINIKUBE_PROFILE", "other")
	t.Setenv("MINIKUBE_FORCE", "true")
	p := New(Options{Home: "/home/of/minikube", Dir: "/dir"})
	env := p.runner.environment("lab")
	for _, want := range []string{"KUBECONFIG=/dir/lab/kubeconfig", "MINIKUBE_HOME=/home/of/minikube", "MINIKUBE_FORCE=true"} {
		if !slices.Contains(env, want) {
			t.Errorf("the environment lacks %s", want)
		}
	}
	if slices.Contains(env, "KUBECONFIG=/of/the/user") || slices.Contains(env, "MINIKUBE_PROFILE=other") {
		t.Error("minikube is led to what is the user's")
	}
}

// TestRunLeavesWhatIsToStay checks that a child may outlive a minikube that succeeded.
func TestRunLeavesWhatIsToStay(t *testing.T) {
	t.Parallel()
	pids := filepath.Join(t.TempDir(), "pids")
	p, tool := shell(t, "sleep 60 & echo $! > "+pids+"\n")
	if err := p.runner.run(t.Context(), tool, "lab", quiet(), "start"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	if !alive(pid) {
		t.Error("it was ended")
	}
	if err := p.runner.run(t.Context(), tool, "lab", quiet(), "stop"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	again, _ := os.ReadFile(pids)
	other, _ := strconv.Atoi(strings.TrimSpace(string(again)))
	for _, pid := range []int{pid, other} {
		if pid > 1 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// TestTemporaryFiles checks that the files of an ended minikube are removed, and that all
// minikube processes share their locks.
func TestTemporaryFiles(t *testing.T) {
	shared := t.TempDir()
	t.Setenv("TMPDIR", shared)
	p, tool := shell(t, "echo > $TMPDIR/asset; echo > $TMPDIR/minikube-locks-$(id -u)/one.lock\n")
	if err := p.runner.run(t.Context(), tool, "lab", quiet(), "start"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(shared, "minikube-locks-"+strconv.Itoa(os.Getuid()), "one.lock")); err != nil {
		t.Errorf("the lock is not shared: %v", err)
	}
	if entries, _ := os.ReadDir(shared); len(entries) != 1 || len(left(t, p)) > 0 {
		t.Errorf("left behind: %v, %q", entries, left(t, p))
	}
}

// TestLastWords checks that the error contains output other than events if no event says why
// minikube failed.
func TestLastWords(t *testing.T) {
	t.Parallel()
	p, tool := shell(t, "echo out; echo why >&2; exit 3\n")
	if err := p.runner.run(t.Context(), tool, "lab", quiet(), "start"); err == nil || !strings.Contains(err.Error(), "exit status 3: why") {
		t.Errorf("error is %v", err)
	}
}

// TestMute checks that a program that succeeds without output is not accepted as minikube.
func TestMute(t *testing.T) {
	t.Parallel()
	p, tool := shell(t, "echo hello\n")
	l, end := steps(nil)
	err := p.runner.run(t.Context(), tool, "lab", l, "start")
	end(err)
	if !errors.Is(err, errMute) || !strings.Contains(err.Error(), "hello") || fault.HintOf(err) == "" {
		t.Errorf("error is %v", err)
	}
}

func TestLongLines(t *testing.T) {
	t.Parallel()
	var lines []int
	w := &lineWriter{take: func(line []byte) { lines = append(lines, len(line)) }}
	_, _ = w.Write([]byte(strings.Repeat("x", longestLine+5)))
	_, _ = w.Write([]byte("\n\nab\nc"))
	if !slices.Equal(lines, []int{longestLine + 5, 2}) {
		t.Errorf("lines of %d bytes", lines)
	}
	end := &tail{}
	_, _ = end.Write([]byte(strings.Repeat("x", 2*longestLine) + "end"))
	if s := end.String(); len(s) != longestLine || !strings.HasSuffix(s, "xend") {
		t.Errorf("kept %d bytes", len(s))
	}
}

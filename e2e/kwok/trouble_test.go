//go:build e2e && unix

package kwok

import (
	"bufio"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
	"github.com/clusterlab-dev/lab/providers"
)

// TestBrokenKubeconfig checks that lab creates nothing if the kubeconfig cannot be read, and does not change the
// file.
func TestBrokenKubeconfig(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	const broken = "contexts: [\n"
	write(t, p.kubeconfig, broken)
	p.fails(2, []string{p.kubeconfig, "hint:"}, "up", "--flavor", "kwok")
	if left := p.List(); len(left) > 0 {
		t.Errorf("lab list shows %v", left)
	}
	if got := read(t, p.kubeconfig); got != broken {
		t.Errorf("the kubeconfig is now %q", got)
	}
	write(t, p.kubeconfig, userKubeconfig)
}

// TestKubeconfigBreaksLater checks that down deletes a cluster although the kubeconfig is not YAML any more, keeps
// its record, and prints a hint. After the file is fixed, down removes the entries, too.
func TestKubeconfigBreaksLater(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	good := read(t, p.kubeconfig)
	write(t, p.kubeconfig, good+"contexts: [\n")
	p.fails(2, []string{p.kubeconfig, "correct the file"}, "down", name)
	if left := p.processes(); len(left) > 0 {
		t.Errorf("the kubeconfig kept its engine alive: %v", left)
	}
	write(t, p.kubeconfig, good)
	p.Must("down", name)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestStrangeHome uses a state directory whose path is long and has special characters. The path of a unix socket is
// limited to about a hundred bytes.
func TestStrangeHome(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	p.labHome = filepath.Join(p.root, "lab", "it's \"mine\", $HOME & für mich; [*]", strings.Repeat("deep/", 30))
	name := p.up()
	p.Must("stop", name)
	p.Must("start", name)
	p.Must("kubectl", name, "--", "get", "nodes")
	p.Must("down", name)
}

// TestHang freezes the engine: it holds its lock and does not answer. start must replace it, and down must not wait
// for it.
func TestHang(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	deploy(t, p.client(name), "web", 1)
	p.signal(name, syscall.SIGSTOP)
	if got := p.List()[name]; got.State != providers.StateDegraded || !strings.Contains(got.Reason, "does not answer") {
		t.Errorf("the cluster is %s: %s", got.State, got.Reason)
	}
	p.Must("start", name)
	available(t, p.client(name), "web", time.Minute)
	p.signal(name, syscall.SIGSTOP)
	began := time.Now()
	p.Must("down", name)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("down took %s", took)
	}
}

// TestDownKilled kills lab while it deletes a cluster. Another lab process must finish the deletion.
func TestDownKilled(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	for range 5 {
		name := p.up()
		cmd := p.command("down", name)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(20+rand.IntN(250))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		kill.Stop()
		if got, there := p.List()[name]; there {
			t.Logf("the cluster is %s: %s", got.State, got.Reason)
			p.Must("down", name)
		}
	}
}

// TestClosedStderr interrupts lab after the reader of its output has ended: in `lab up 2>&1 | tee log`, Ctrl-C ends
// both programs.
func TestClosedStderr(t *testing.T) {
	t.Parallel()
	p, name := newUser(t), session.RandomName()
	cmd := p.command("up", name, "--flavor", "kwok", "--progress", "plain")
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(stderr).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	_ = stderr.Close()
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait()
	if got := cmd.ProcessState.ExitCode(); got != 130 {
		t.Errorf("exit code %d", got)
	}
	if left := p.List(); len(left) > 0 {
		t.Errorf("lab list shows %v", left)
	}
}

// TestClosedStdout checks that lab prints no error if the reader of its output has ended, and completes its work.
func TestClosedStdout(t *testing.T) {
	t.Parallel()
	p, name := newUser(t), session.RandomName()
	for _, args := range [][]string{{"up", name, "--flavor", "kwok"}, {"list"}} {
		cmd := p.command(args...)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdout = w
		_ = r.Close()
		_ = cmd.Run()
		_ = w.Close()
		if got := cmd.ProcessState.ExitCode(); got != 1 || strings.Contains(stderr.String(), "error:") {
			t.Errorf("lab %v: exit code %d\n%s", args, got, &stderr)
		}
	}
	if got := p.List()[name].State; got != providers.StateRunning {
		t.Errorf("the cluster is %s", got)
	}
	p.Must("down", name)
}

// TestParallelCommands runs random commands on one cluster in parallel. Whatever each returns, the cluster must work
// afterwards.
func TestParallelCommands(t *testing.T) {
	t.Parallel()
	p, name := newUser(t), session.RandomName()
	var commands sync.WaitGroup
	for range 4 {
		commands.Go(func() {
			for range 5 {
				verb := []string{"up", "up", "start", "stop", "down", "list"}[rand.IntN(6)]
				args := []string{verb, name}
				if verb == "list" {
					args = []string{verb}
				}
				got := p.Try(args...)
				// The cluster may be missing, unfinished or locked. Other failures are errors.
				if !slices.Contains([]int{0, 3, 4, 5}, got.Code) {
					t.Errorf("lab %v: exit code %d\n%s", args, got.Code, got.Stderr)
				}
			}
		})
	}
	commands.Wait()
	p.Must("up", name)
	if engines := p.processes(); len(engines) != 1 {
		t.Errorf("%d engines: %v", len(engines), engines)
	}
	p.checkCurrent("kwok-" + name)
	p.Must("down", name)
}

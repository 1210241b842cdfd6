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

// TestBrokenKubeconfig shows that a kubeconfig that nobody can read costs no cluster,
// and stays as it is.
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

// TestKubeconfigBreaksLater shows that lab deletes a cluster whose entries are in a kubeconfig
// that is not YAML any more, keeps its record, and says what to do. Once the file is fixed, the
// entries go, too.
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

// TestStrangeHome keeps a cluster where paths are long, and full of what programs
// stumble over. No socket's path may be longer than some hundred bytes.
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

// TestHang stops the engine in its tracks: it lives, holds its lock, and does not
// answer. start must replace it, and down must not wait for it.
func TestHang(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	deploy(t, p.client(name), "web", 1)
	p.signal(name, syscall.SIGSTOP)
	if got := p.List()[name]; got.State != providers.StateDegraded || !strings.Contains(got.Reason, "does not answer") {
		t.Errorf("it is %s: %s", got.State, got.Reason)
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

// TestDownKilled kills lab while it removes a cluster. Another one must end it.
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
			t.Logf("it is %s: %s", got.State, got.Reason)
			p.Must("down", name)
		}
	}
}

// TestUnheard interrupts a lab whose output goes to a program that has ended: in
// `lab up 2>&1 | tee log`, Ctrl-C ends both.
func TestUnheard(t *testing.T) {
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

// TestSeenEnough shows that nobody is told of a reader who left, and that lab does
// what it was asked for all the same.
func TestSeenEnough(t *testing.T) {
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

// TestCrowd has several people do this and that to one cluster, all at once. Whatever
// each of them is told, the cluster must be sound.
func TestCrowd(t *testing.T) {
	t.Parallel()
	p, name := newUser(t), session.RandomName()
	var crowd sync.WaitGroup
	for range 4 {
		crowd.Go(func() {
			for range 5 {
				verb := []string{"up", "up", "start", "stop", "down", "list"}[rand.IntN(6)]
				args := []string{verb, name}
				if verb == "list" {
					args = []string{verb}
				}
				got := p.Try(args...)
				// Gone, half-made or somebody's: all that may be. Failing may not.
				if !slices.Contains([]int{0, 3, 4, 5}, got.Code) {
					t.Errorf("lab %v: exit code %d\n%s", args, got.Code, got.Stderr)
				}
			}
		})
	}
	crowd.Wait()
	p.Must("up", name)
	if engines := p.processes(); len(engines) != 1 {
		t.Errorf("%d engines: %v", len(engines), engines)
	}
	p.checkCurrent("kwok-" + name)
	p.Must("down", name)
}

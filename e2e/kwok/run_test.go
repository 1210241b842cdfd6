//go:build e2e && unix

package kwok

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// shell adds sh to the user's PATH.
func (p *user) shell() {
	p.T.Helper()
	if err := os.Symlink("/bin/sh", filepath.Join(p.root, "path", "sh")); err != nil {
		p.T.Fatal(err)
	}
	p.T.Cleanup(func() { _ = os.RemoveAll(filepath.Join(p.root, "path")) })
}

// TestRun checks that a command of `lab run` finds its cluster and kubectl, that its exit code is returned, and that
// only the logs of a failed command are left.
func TestRun(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	p.shell()
	got := p.Try("run", "--flavor", "kwok", "--workers", "2", "--", "kubectl", "get", "nodes", "-o", "name")
	if got.Code != 0 || strings.Count(got.Stdout, "node/") != 3 || strings.Count(got.Stdout, "\n") != 3 {
		t.Errorf("exit code %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	got = p.Try("run", "--flavor", "kwok", "--", "sh", "-c", "kubectl create deployment web --image=web >&2; exit 7")
	if got.Code != 7 || got.Stdout != "" {
		t.Errorf("exit code %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	logs, _ := filepath.Glob(filepath.Join(p.root, "run-*-logs"))
	if len(logs) != 1 {
		t.Fatalf("logs are in %q", logs)
	}
	if events := read(t, filepath.Join(logs[0], "events.txt")); !strings.Contains(events, "deployment/web") {
		t.Errorf("the events are:\n%s", events)
	}
	if err := os.RemoveAll(logs[0]); err != nil {
		t.Fatal(err)
	}
}

// TestRunTogether checks that parallel runs have separate clusters.
func TestRunTogether(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	p.shell()
	const script = `kubectl create configmap mine --from-literal=who=%d >/dev/null &&
kubectl get configmap mine -o jsonpath='{.data.who} ' && kubectl config current-context`
	seen := sync.Map{}
	var all sync.WaitGroup
	for i := range fewer(20, 5) {
		all.Go(func() {
			got := p.Try("run", "--flavor", "kwok", "--", "sh", "-c", fmt.Sprintf(script, i))
			who, where, _ := strings.Cut(got.Stdout, " ")
			if _, taken := seen.LoadOrStore(where, i); taken || got.Code != 0 || who != fmt.Sprint(i) {
				t.Errorf("%d: exit code %d, %q\n%s", i, got.Code, got.Stdout, got.Stderr)
			}
			if !regexp.MustCompile(`^kwok-run-\w+\n$`).MatchString(where) {
				t.Errorf("%d: the context is %q", i, where)
			}
		})
	}
	all.Wait()
}

// TestRunEnded interrupts and kills `lab run` while its command runs.
func TestRunEnded(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			p := newUser(t)
			p.shell()
			p.T.Cleanup(func() { _ = os.Remove(filepath.Join(p.root, "began")) })
			cmd := p.command("run", "--flavor", "kwok", "--", "sh", "-c", "echo $$ > began; exec kubectl get --raw '/api/v1/namespaces?watch=1' >/dev/null")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			session.Eventually(t, time.Minute, func(context.Context) error {
				_, err := os.Stat(filepath.Join(p.root, "began"))
				return err
			})
			p.Try("gc") // must not delete the cluster of a running command
			_ = cmd.Process.Signal(signal)
			_ = cmd.Wait()
			if signal == syscall.SIGTERM {
				if code := cmd.ProcessState.ExitCode(); code != 143 {
					t.Errorf("exit code %d", code)
				}
			} else {
				p.Must("gc")
			}
			if left := p.List(); len(left) > 0 {
				t.Errorf("lab list shows %v", left)
			}
			// The command of a killed lab ends without its cluster.
			p.gone()
		})
	}
}

// gone waits until no process of the user is left.
func (p *user) gone() {
	p.T.Helper()
	session.Eventually(p.T, 20*time.Second, func(context.Context) error {
		if left := p.processes(); len(left) > 0 {
			return fmt.Errorf("processes: %v", left)
		}
		return nil
	})
}

// TestTimeToLive checks that a cluster is deleted when its time to live ends, without another call of lab, and that
// the waiting process ends with the cluster.
func TestTimeToLive(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	p.up("--ttl", "1s")
	p.gone()
	if left := filesBelow(t, p.labHome); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	name := p.up("--ttl", "2h")
	if got := len(p.processes()); got != 2 { // the engine, and the process that waits
		t.Errorf("%d processes: %v", got, p.processes())
	}
	p.Must("down", name)
	p.gone()
}

// TestReaperKilled kills the waiting process. The next lab command must delete the cluster in the background.
func TestReaperKilled(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	p.up("--ttl", "4s")
	for pid, command := range p.processes() {
		if strings.Contains(command, "reap") {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	session.Eventually(t, time.Minute, func(context.Context) error {
		if !strings.Contains(p.Must("list"), " now") {
			return fmt.Errorf("the cluster has not expired")
		}
		return nil
	})
	p.gone()
}

// TestNamespaceOfContext changes the namespace of the context, with the kubectl inside lab-engine.
func TestNamespaceOfContext(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	p.Must("ns", "kube-system")
	if got := p.Must("ns"); !regexp.MustCompile(`(?m)^kube-system +current$`).MatchString(got) {
		t.Errorf("lab ns says:\n%s", got)
	}
	p.fails(3, []string{"no namespace"}, "ns", "nowhere")
	p.Must("down", name)
}

// TestHoldsNothing checks that the engine and the process that waits for its expiry close file descriptors that lab
// inherited, here the write end of a pipe.
func TestHoldsNothing(t *testing.T) {
	t.Parallel()
	p, name := newUser(t), session.RandomName()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := p.command("up", name, "--flavor", "kwok", "--ttl", "2h")
	cmd.ExtraFiles = []*os.File{w}
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	read := make(chan struct{})
	go func() {
		_, _ = r.Read(make([]byte, 1))
		close(read)
	}()
	select {
	case <-read:
	case <-time.After(5 * time.Second):
		t.Errorf("a process still holds the pipe: %v", p.processes())
	}
	p.Must("down", name)
	p.gone()
}

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

// shell makes a program sh of the machine's findable for the person.
func (p *user) shell() {
	p.T.Helper()
	if err := os.Symlink("/bin/sh", filepath.Join(p.root, "path", "sh")); err != nil {
		p.T.Fatal(err)
	}
	p.T.Cleanup(func() { _ = os.RemoveAll(filepath.Join(p.root, "path")) })
}

// TestRun shows that a command finds its cluster, with the kubectl that lab brings along,
// that its exit code comes through, and that nothing is left but the logs of what failed.
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

// TestRunTogether: runs side by side have clusters of their own, and see no other's things.
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

// TestRunEnded ends lab while its command runs, as a pipeline does that is cancelled, and
// as the kernel does.
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
			p.Try("gc") // which must not mistake it for something that is left
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
			// Without a cluster, the command that nobody could end ends, too.
			p.gone()
		})
	}
}

// gone waits until no process of the person's is left.
func (p *user) gone() {
	p.T.Helper()
	session.Eventually(p.T, 20*time.Second, func(context.Context) error {
		if left := p.processes(); len(left) > 0 {
			return fmt.Errorf("processes: %v", left)
		}
		return nil
	})
}

// TestTimeToLive: a cluster goes when its time is over, though nobody calls lab any more,
// and who waits for that goes with it, however it goes.
func TestTimeToLive(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	p.up("--ttl", "1s")
	p.gone()
	if left := filesBelow(t, p.labHome); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	name := p.up("--ttl", "2h")
	if got := len(p.processes()); got != 2 { // the engine, and who waits
		t.Errorf("%d processes: %v", got, p.processes())
	}
	p.Must("down", name)
	p.gone()
}

// TestReaperKilled: without anybody who waits, the next call of lab has the cluster
// deleted, and is none the slower for it.
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
			return fmt.Errorf("its time is not over")
		}
		return nil
	})
	p.gone()
}

// TestNamespaceOfContext changes the namespace that kubectl works in, by the kubectl that lab brings along.
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

// TestHoldsNothing: an engine and who waits for its end hold no file that lab was given. Here it is the end of a pipe, of
// which somebody waits for the other one.
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
		t.Errorf("somebody holds it still: %v", p.processes())
	}
	p.Must("down", name)
	p.gone()
}

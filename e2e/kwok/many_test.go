//go:build e2e && unix

package kwok

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
	"github.com/clusterlab-dev/lab/providers"
)

// manyVariable names the environment variable with the number of clusters of TestMany.
const manyVariable = "LAB_E2E_MANY"

// fewer returns whole, or short with -short, which .ci/run sets.
func fewer(whole, short int) int {
	if testing.Short() {
		return short
	}
	return whole
}

// TestTwins runs two identical `lab up` at once. One cluster must exist; the second process must find it or fail with
// "exists".
func TestTwins(t *testing.T) {
	t.Parallel()
	p, name := newUser(t), session.RandomName()
	var twins sync.WaitGroup
	var got [2]session.Result
	for i := range got {
		twins.Go(func() { got[i] = p.Try("up", name, "--flavor", "kwok") })
	}
	twins.Wait()
	for _, g := range got {
		if g.Code != 0 && g.Code != 4 || got[0].Code+got[1].Code > 4 {
			t.Errorf("exit code %d: %s", g.Code, g.Stderr)
		}
	}
	if engines := p.processes(); len(engines) != 1 {
		t.Errorf("%d engines: %v", len(engines), engines)
	}
	p.checkCurrent("kwok-" + name)
	p.Must("down", name)
}

// TestTwinInterrupted interrupts one of two lab processes that create the same cluster. The other must succeed,
// whichever of them was creating it.
func TestTwinInterrupted(t *testing.T) {
	t.Parallel()
	for _, victim := range []int{0, 1} {
		p, name := newUser(t), session.RandomName()
		var twins [2]*exec.Cmd
		said := [2]string{filepath.Join(t.TempDir(), "first"), filepath.Join(t.TempDir(), "second")}
		for i, words := range []string{"Starting etcd", "Waiting for another lab"} {
			twins[i] = p.command("up", name, "--flavor", "kwok")
			twins[i].Stderr = create(t, said[i])
			if err := twins[i].Start(); err != nil {
				t.Fatal(err)
			}
			waitForWords(t, said[i], words)
		}
		_ = twins[victim].Process.Signal(os.Interrupt)
		for i, twin := range twins {
			_ = twin.Wait()
			want := 0
			if i == victim {
				want = 130
			}
			if got := twin.ProcessState.ExitCode(); got != want {
				t.Errorf("%d is interrupted: %d exits with code %d\n%s", victim, i, got, read(t, said[i]))
			}
		}
		if got := p.List()[name]; got.State != providers.StateRunning {
			t.Errorf("%d is interrupted: the cluster is %s: %s", victim, got.State, got.Reason)
		}
		p.Must("down", name)
	}
}

// create creates a file for the output of a command.
func create(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func waitForWords(t *testing.T, path, words string) {
	t.Helper()
	session.Eventually(t, time.Minute, func(context.Context) error {
		if text := read(t, path); !strings.Contains(text, words) {
			return fmt.Errorf("%q is not in %q", words, text)
		}
		return nil
	})
}

// TestMany creates many clusters at once, which all write the kubeconfig.
func TestMany(t *testing.T) {
	count, err := strconv.Atoi(cmp.Or(os.Getenv(manyVariable), strconv.Itoa(fewer(30, 6))))
	if err != nil {
		t.Fatal(err)
	}
	p := newUser(t)
	began := time.Now()
	names := make([]string, count)
	commands := make([][]string, count)
	for i := range names {
		names[i] = session.RandomName()
		commands[i] = []string{"up", names[i], "--flavor", "kwok"}
	}
	p.allAtOnce(commands)
	t.Logf("%d clusters were created in %s", count, time.Since(began).Round(time.Second))
	p.checkAllThere(names)

	began = time.Now()
	for i := range names {
		commands[i] = []string{"down", names[i]}
	}
	p.allAtOnce(commands)
	t.Logf("and deleted in %s", time.Since(began).Round(time.Second))
}

// allAtOnce runs lab processes in parallel, each of which must succeed.
func (p *user) allAtOnce(commands [][]string) {
	p.T.Helper()
	running := make([]*exec.Cmd, len(commands))
	said := make([]bytes.Buffer, len(commands))
	for i, args := range commands {
		running[i] = p.command(args...)
		running[i].Stderr = &said[i]
		if err := running[i].Start(); err != nil {
			p.T.Fatal(err)
		}
	}
	for i, cmd := range running {
		if err := cmd.Wait(); err != nil {
			p.T.Errorf("lab %s: %v\n%s", strings.Join(commands[i], " "), err, said[i].String())
		}
	}
}

func (p *user) checkAllThere(names []string) {
	p.T.Helper()
	list := p.List()
	config, err := clientcmd.LoadFromFile(p.kubeconfig)
	if err != nil {
		p.T.Fatal(err)
	}
	for _, name := range names {
		if got := list[name]; got.State != providers.StateRunning {
			p.T.Errorf("%s is %s: %s", name, got.State, got.Reason)
		}
		if config.Contexts["kwok-"+name] == nil {
			p.T.Errorf("the kubeconfig has no context of %s", name)
		}
		if _, err := p.client(name).Discovery().ServerVersion(); err != nil {
			p.T.Errorf("%s does not answer: %v", name, err)
		}
	}
	if engines := len(p.processes()); engines != len(names) {
		p.T.Errorf("%d engines for %d clusters", engines, len(names))
	}
}

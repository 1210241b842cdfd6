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

	"github.com/clusterlab-dev/lab/providers"
)

// manyVariable says how many clusters TestMany makes at once.
const manyVariable = "LAB_E2E_MANY"

// fewer is how many of a thing a test makes: short of them with -short, as .ci/run has it, which are still more than
// the machine has processors for.
func fewer(whole, short int) int {
	if testing.Short() {
		return short
	}
	return whole
}

// TestTwins makes one cluster twice at once: there must be one of it, and whoever
// came second must find it made, or be told that it exists.
func TestTwins(t *testing.T) {
	t.Parallel()
	p, name := newPerson(t), randomName()
	var twins sync.WaitGroup
	var got [2]result
	for i := range got {
		twins.Go(func() { got[i] = p.try("up", name, "--flavor", "kwok") })
	}
	twins.Wait()
	for _, g := range got {
		if g.code != 0 && g.code != 4 || got[0].code+got[1].code > 4 {
			t.Errorf("exit code %d: %s", g.code, g.stderr)
		}
	}
	if engines := p.processes(); len(engines) != 1 {
		t.Errorf("%d engines: %v", len(engines), engines)
	}
	p.checkCurrent("kwok-" + name)
	p.must("down", name)
}

// TestTwinInterrupted interrupts one of two labs that want the same cluster. The
// other must come to have it, whoever of them was making it.
func TestTwinInterrupted(t *testing.T) {
	t.Parallel()
	for _, victim := range []int{0, 1} {
		p, name := newPerson(t), randomName()
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
		if got := p.list()[name]; got.State != providers.StateRunning {
			t.Errorf("%d is interrupted: it is %s: %s", victim, got.State, got.Reason)
		}
		p.must("down", name)
	}
}

// create makes a file for a command to write to.
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
	eventually(t, time.Minute, func(context.Context) error {
		if text := read(t, path); !strings.Contains(text, words) {
			return fmt.Errorf("%q is not in %q", words, text)
		}
		return nil
	})
}

// TestMany makes many clusters at once, all of which want the kubeconfig.
func TestMany(t *testing.T) {
	count, err := strconv.Atoi(cmp.Or(os.Getenv(manyVariable), strconv.Itoa(fewer(30, 6))))
	if err != nil {
		t.Fatal(err)
	}
	p := newPerson(t)
	began := time.Now()
	names := make([]string, count)
	commands := make([][]string, count)
	for i := range names {
		names[i] = randomName()
		commands[i] = []string{"up", names[i], "--flavor", "kwok"}
	}
	p.allAtOnce(commands)
	t.Logf("%d clusters were made in %s", count, time.Since(began).Round(time.Second))
	p.checkAllThere(names)

	began = time.Now()
	for i := range names {
		commands[i] = []string{"down", names[i]}
	}
	p.allAtOnce(commands)
	t.Logf("and removed in %s", time.Since(began).Round(time.Second))
}

// allAtOnce runs labs side by side, each of which must do its work.
func (p *person) allAtOnce(commands [][]string) {
	p.t.Helper()
	running := make([]*exec.Cmd, len(commands))
	said := make([]bytes.Buffer, len(commands))
	for i, args := range commands {
		running[i] = p.command(args...)
		running[i].Stderr = &said[i]
		if err := running[i].Start(); err != nil {
			p.t.Fatal(err)
		}
	}
	for i, cmd := range running {
		if err := cmd.Wait(); err != nil {
			p.t.Errorf("lab %s: %v\n%s", strings.Join(commands[i], " "), err, said[i].String())
		}
	}
}

func (p *person) checkAllThere(names []string) {
	p.t.Helper()
	list := p.list()
	config, err := clientcmd.LoadFromFile(p.kubeconfig)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, name := range names {
		if got := list[name]; got.State != providers.StateRunning {
			p.t.Errorf("%s is %s: %s", name, got.State, got.Reason)
		}
		if config.Contexts["kwok-"+name] == nil {
			p.t.Errorf("the kubeconfig has no context of %s", name)
		}
		if _, err := p.client(name).Discovery().ServerVersion(); err != nil {
			p.t.Errorf("%s does not answer: %v", name, err)
		}
	}
	if engines := len(p.processes()); engines != len(names) {
		p.t.Errorf("%d engines for %d clusters", engines, len(names))
	}
}

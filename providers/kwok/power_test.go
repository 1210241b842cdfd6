//go:build linux || darwin

package kwok

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestStop(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, behavior string
		before         func(t *testing.T, dir string)
	}{
		{"in order", "good", nothing},
		{"an engine that ignores it", "deaf", nothing},
		{"an engine that died", "good", kill},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, tt.behavior)
			dir := create(t, p)
			tt.before(t, dir)
			if err := p.Stop(t.Context(), providers.Ref{Name: "demo"}); err != nil {
				t.Fatal(err)
			}
			wantState(t, p, providers.StateStopped, "")
			s, err := readStatus(dir)
			if err != nil || !s.EverReady || s.KubernetesVersion != "v1.37.2" {
				t.Errorf("the rest of the status was lost: %+v, %v", s, err)
			}
			if err := p.Start(t.Context(), providers.Ref{Name: "demo"}, nil); err != nil {
				t.Fatal(err)
			}
			wantState(t, p, providers.StateRunning, "")
		})
	}
}

func TestStopOnFullDisk(t *testing.T) {
	t.Parallel()
	err := unrecorded(t.TempDir(), fmt.Errorf("write status.json: %w", syscall.ENOSPC))
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "lab-engine has ended") || !strings.Contains(fault.HintOf(err), "free space") {
		t.Errorf("error is %v (hint %q), want ENOSPC with what to do", err, fault.HintOf(err))
	}
}

func TestStopInterrupted(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "deaf")
	dir := create(t, p)
	p.grace = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := p.Stop(ctx, providers.Ref{Name: "demo"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	if pid, err := holder(dir); err != nil || pid == 0 {
		t.Errorf("the engine was killed: %v", err)
	}
}

func TestFailedStartKeepsCluster(t *testing.T) {
	t.Parallel()
	for _, behavior := range []string{"die", "hang", "hang+deaf", "sleep"} {
		t.Run(behavior, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, "good")
			dir := create(t, p)
			kill(t, dir)
			id := only(t, p).ID
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := withEngine(t, p.opts.Dir, behavior).Start(ctx, providers.Ref{Name: "demo"}, nil); err == nil {
				t.Error("Start succeeded")
			}
			if running := processes(t, dir); len(running) > 0 {
				t.Errorf("still running: %q", running)
			}
			wantState(t, p, providers.StateDegraded, "engine died")
			if err := p.Start(t.Context(), providers.Ref{Name: "demo"}, nil); err != nil {
				t.Fatal(err)
			}
			wantState(t, p, providers.StateRunning, "")
			if now := only(t, p).ID; now != id {
				t.Errorf("ID is %q, was %q", now, id)
			}
		})
	}
}

func TestStartReplacesUnresponsiveEngine(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	sick := withEngine(t, p.opts.Dir, "sick", "deaf")
	dir := create(t, sick)
	before, _ := holder(dir)
	if err := p.Start(t.Context(), providers.Ref{Name: "demo"}, nil); err != nil {
		t.Fatal(err)
	}
	wantState(t, p, providers.StateRunning, "")
	if now, _ := holder(dir); now == before {
		t.Error("the engine is still the same")
	}
}

func TestStartWaitsForEngineOfAnotherProcess(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	dir := create(t, p)
	before, _ := holder(dir)
	whole, err := os.ReadFile(filepath.Join(dir, statusFile))
	if err != nil {
		t.Fatal(err)
	}
	spoil(statusFile, `{"phase":"starting"}`)(t, dir)
	ready := time.AfterFunc(200*time.Millisecond, func() { writeWhole(filepath.Join(dir, statusFile), whole) })
	defer ready.Stop()
	if err := p.Start(t.Context(), providers.Ref{Name: "demo"}, nil); err != nil {
		t.Fatal(err)
	}
	if now, _ := holder(dir); now != before {
		t.Errorf("process %d took the place of %d", now, before)
	}
}

func TestStartCompletesInterruptedCreation(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	halfMade(t, p.opts.Dir, providers.Spec{Name: "demo"})
	if err := p.Start(t.Context(), providers.Ref{Name: "demo"}, nil); err != nil {
		t.Fatal(err)
	}
	wantState(t, p, providers.StateRunning, "")
}

func TestStartKeepsPreviousPanic(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	dir := create(t, p)
	kill(t, dir)
	spoil(filepath.Join("logs", "panic.log"), "panic: once")(t, dir)
	if err := p.Start(t.Context(), providers.Ref{Name: "demo"}, nil); err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join(dir, "logs", "panic.previous.log"))
	if err != nil || string(kept) != "panic: once" {
		t.Errorf("kept %q, %v", kept, err)
	}
}

func TestDeleteInEachState(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(*testing.T, string){
		"running":                    nothing,
		"dead":                       kill,
		"without a status":           both(kill, remove(statusFile)),
		"with a spoiled status":      spoil(statusFile, "}"),
		"emptied":                    both(kill, remove(".")),
		"starting":                   spoil(statusFile, `{"phase":"starting"}`),
		"with a spoiled engine.json": spoil(configFile, "}"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, "deaf")
			dir := create(t, p)
			before(t, dir)
			if err := p.Delete(t.Context(), providers.Ref{Name: "demo"}); err != nil {
				t.Fatal(err)
			}
			for _, leak := range leaks(t, p.opts.Dir, "demo") {
				t.Errorf("left behind: %s", leak)
			}
		})
	}
}

// TestDeleteByMark checks that Delete recognizes a cluster without ID by its mark, one without mark by
// its ID, and one whose first file was not written completely by its name. A cluster of which
// neither can be read stays.
func TestDeleteByMark(t *testing.T) {
	t.Parallel()
	noID := remove("kubeconfig")
	for name, test := range map[string]struct {
		before func(*testing.T, string)
		kind   error
	}{
		"as it was":                  {nothing, nil},
		"without a kubeconfig":       {noID, nil},
		"with a spoiled engine.json": {spoil(configFile, "}"), nil},
		"without an engine.json":     {func(t *testing.T, dir string) { must(0, os.Remove(filepath.Join(dir, configFile))) }, nil},
		"with neither":               {both(noID, spoil(configFile, "")), fault.ErrUnavailable},
		"just begun":                 {both(both(kill, remove(".")), spoil(configFile, "")), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, "good")
			if err := p.Create(t.Context(), providers.Spec{Name: "demo", Mark: "a-mark"}, nil); err != nil {
				t.Fatal(err)
			}
			ref := providers.Ref{Name: "demo", ID: only(t, p).ID, Mark: "a-mark"}
			test.before(t, p.dir("demo"))
			if err := p.Delete(t.Context(), ref); !errors.Is(err, test.kind) {
				t.Errorf("error is %v, want %v", err, test.kind)
			}
			if left := leaks(t, p.opts.Dir, "demo"); (len(left) > 0) != (test.kind != nil) {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

// remove removes a file of the cluster, or, for ".", all of them.
func remove(file string) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		t.Helper()
		paths, err := filepath.Glob(filepath.Join(dir, strings.ReplaceAll(file, ".", "*")))
		for _, path := range paths {
			err = errors.Join(err, os.RemoveAll(path))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestRemoveCommand runs the command that deletes a cluster without a record.
func TestRemoveCommand(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	create(t, p)
	for range 2 { // alive, and where nothing is alive
		if out, err := exec.Command("sh", "-c", p.RemoveCommand("demo")).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", p.RemoveCommand("demo"), err, out)
		}
		left := leaks(t, p.opts.Dir, "demo")
		for deadline := time.Now().Add(killedWithin); len(left) > 0 && time.Now().Before(deadline); left = leaks(t, p.opts.Dir, "demo") {
		} // a killed process is gone a moment later
		if len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
		if err := os.MkdirAll(filepath.Join(p.dir("demo"), "etcd"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDeleteLeavesNoZombie(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	pid, err := holder(create(t, p))
	if err == nil {
		err = p.Delete(t.Context(), providers.Ref{Name: "demo"})
	}
	if err != nil {
		t.Fatal(err)
	}
	// A zombie can be signalled, a reaped process cannot.
	if err := poll(t.Context(), 5*time.Second, func() (bool, error) {
		return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH), nil
	}); err != nil {
		t.Errorf("process %d is still there: %v", pid, err)
	}
}

func TestLeftoversAreRemoved(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	for name, clean := range map[string]func() error{
		"Delete": func() error { return p.Delete(t.Context(), providers.Ref{Name: "demo"}) },
		"List":   func() error { _, err := p.List(t.Context()); return err },
	} {
		hidden := p.dir(".demo.deleted-1")
		create(t, p)
		if err := os.Rename(p.dir("demo"), hidden); err != nil { // and there it was interrupted
			t.Fatal(err)
		}
		if err := clean(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, leak := range append(leaks(t, p.opts.Dir, "demo"), processes(t, p.opts.Dir)...) {
			t.Errorf("%s left: %s", name, leak)
		}
	}
}

// TestDeadEngineIsNotSignalled checks that a process with the former ID of an engine is not signalled.
func TestDeadEngineIsNotSignalled(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	dir := create(t, p)
	kill(t, dir)
	stranger := exec.Command("sleep", "60")
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- stranger.Wait() }()
	spoil(statusFile, `{"phase":"ready","everReady":true,"pid":`+strconv.Itoa(stranger.Process.Pid)+`}`)(t, dir)
	if err := errors.Join(p.Stop(t.Context(), providers.Ref{Name: "demo"}), p.Delete(t.Context(), providers.Ref{Name: "demo"})); err != nil {
		t.Error(err)
	}
	select {
	case <-ended:
		t.Error("a stranger was ended")
	default:
	}
	_ = stranger.Process.Kill()
	<-ended
}

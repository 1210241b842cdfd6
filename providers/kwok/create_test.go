//go:build linux || darwin

package kwok

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestCreateReportsSteps(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "garbage")
	var got []string
	err := p.Create(t.Context(), providers.Spec{Name: "demo"}, func(e event.Event) {
		got = append(got, strings.TrimSpace(fmt.Sprint(e.Cluster, ": ", e.Step, " ", e.State, " ", e.Message)))
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"demo: Starting etcd started",
		"demo: Odd started", // of the garbage, what means something
		"demo: Starting etcd progress half",
		"demo: Starting etcd done",
		"demo: Starting the API server started",
	}
	if diff := cmp.Diff(want, got[:min(len(want), len(got))]); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if ends := len(got) - len(want); ends != 2 {
		t.Errorf("%d steps were ended at last, want 2: %q", ends, got)
	}
}

func TestCreateTouchesOnlyItsDirectory(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	dir := create(t, p)
	for _, path := range []string{p.opts.Dir, dir, filepath.Join(dir, "logs")} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v; want mode 0700", path, info.Mode(), err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, configFile))
	var config map[string]any
	if err := errors.Join(err, json.Unmarshal(text, &config)); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"apiVersion": "lab/v1alpha1", "kind": "EngineConfig",
		"name": "demo", "controlPlane": "demo-control-plane", "workers": 0.0,
	}
	if diff := cmp.Diff(want, config); diff != "" {
		t.Errorf("%s (-want +got):\n%s", configFile, diff)
	}
	pid, err := holder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if group, err := syscall.Getpgid(pid); err != nil || group != pid {
		t.Errorf("the engine is of process group %d, %v; want its own, %d", group, err, pid)
	}
}

func TestFailedCreateReportsReason(t *testing.T) {
	t.Parallel()
	const log = "line 4\nline 5\nline 6\nline 7\nline 8" // as the engine logged it, but for times
	for _, tt := range []struct {
		behavior, says, words, hint string
	}{
		{"die", "lab-engine: etcd: no luck today (exit status 1)", log, "run the command again with -v"},
		{"full", "no space left on device (exit status 1)", log, "free space"},
		{"nokey", "write pki/.engine.kubeconfig.42: no space left on device", log, "free space"},
		{"damaged", "pki/ca.key is damaged", log, "lab up demo --recreate"},
		{"panic", "it ended before the cluster was ready (exit status 2)", "line 8\npanic: what now", "run the command again with -v"},
		{"killed", "it ended before the cluster was ready (signal: killed)", log, "memory"},
		{"mute", "it ended before the cluster was ready\n", log, "run the command again with -v"},
		{"flood", "it ended before the cluster was ready\n", log, "run the command again with -v"},
		{"locked", "another lab-engine runs", "", ""},
		{"die+deaf", "no luck today", log, "run the command again with -v"},
	} {
		t.Run(tt.behavior, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, tt.behavior)
			err := p.Create(t.Context(), providers.Spec{Name: "demo"}, nil)
			if err == nil {
				t.Fatal("Create succeeded")
			}
			said := withoutTimes(err.Error())
			if !strings.Contains(said, tt.says) || !strings.Contains(said, tt.words) {
				t.Errorf("error is %q, want one with %q and %q", said, tt.says, tt.words)
			}
			if strings.Contains(said, "line 3") || strings.Contains(said, "goroutine") {
				t.Errorf("error has more of the log than its last lines: %q", said)
			}
			if hint := fault.HintOf(err); !strings.Contains(hint, tt.hint) {
				t.Errorf("hint is %q, want one with %q", hint, tt.hint)
			}
			for _, leak := range leaks(t, p.opts.Dir, "demo") {
				t.Errorf("left behind: %s", leak)
			}
		})
	}
}

// withoutTimes removes the prefix that package log adds to a line.
func withoutTimes(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if _, message, ok := strings.Cut(line, " line "); ok {
			lines[i] = "line " + message
		}
	}
	return strings.Join(lines, "\n")
}

func TestCreateInterrupted(t *testing.T) {
	t.Parallel()
	for _, behavior := range []string{"sleep", "hang", "hang+deaf"} {
		t.Run(behavior, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, behavior)
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			err := p.Create(ctx, providers.Spec{Name: "demo"}, nil)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error is %v, want %v", err, context.DeadlineExceeded)
			}
			for _, leak := range leaks(t, p.opts.Dir, "demo") {
				t.Errorf("left behind: %s", leak)
			}
		})
	}
}

// TestCreateInterruptedWhenReady cancels the creation when the line with ready has been read from the
// pipe, but not yet handled.
func TestCreateInterruptedWhenReady(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "hurry")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err := p.Create(ctx, providers.Spec{Name: "demo"}, func(e event.Event) {
		if e.Step == "Hurrying" {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want %v", err, context.Canceled)
	}
	for _, leak := range leaks(t, p.opts.Dir, "demo") {
		t.Errorf("left behind: %s", leak)
	}
}

func TestCreateWithoutAccess(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "a-file")
	if err := os.WriteFile(root, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := withEngine(t, root, "good").Create(t.Context(), providers.Spec{Name: "demo"}, nil)
	if err == nil || !strings.Contains(err.Error(), root) || !strings.Contains(fault.HintOf(err), "LAB_HOME") {
		t.Errorf("error is %v (%s), want one that names %s and LAB_HOME", err, fault.HintOf(err), root)
	}
	full := cannotWrite(root, &os.PathError{Op: "mkdir", Path: root, Err: syscall.ENOSPC})
	if hint := fault.HintOf(full); !strings.Contains(hint, "free space") {
		t.Errorf("hint on a full disk is %q", hint)
	}
}

func TestCreateInParallel(t *testing.T) {
	t.Parallel()
	const n = 30
	p := newProvider(t, "good")
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			errs[i] = p.Create(t.Context(), providers.Spec{Name: fmt.Sprintf("demo-%d", i)}, nil)
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	clusters, err := p.List(t.Context())
	if err != nil || len(clusters) != n {
		t.Fatalf("List has %d clusters, %v; want %d", len(clusters), err, n)
	}
	for _, c := range clusters {
		if c.State != providers.StateRunning {
			t.Errorf("%s is %s (%s)", c.Name, c.State, c.Reason)
		}
	}
}

func TestCreateOneNameInParallel(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "good")
	errs := make([]error, 2)
	var both sync.WaitGroup
	for i := range errs {
		both.Go(func() { errs[i] = p.Create(t.Context(), providers.Spec{Name: "demo"}, nil) })
	}
	both.Wait()
	if (errs[0] == nil) == (errs[1] == nil) || !errors.Is(errors.Join(errs...), fault.ErrExists) {
		t.Errorf("errors are %v; want one nil, the other ErrExists", errs)
	}
	wantState(t, p, providers.StateRunning, "")
}

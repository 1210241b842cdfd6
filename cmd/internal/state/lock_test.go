package state_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// workerEnv makes the test binary one of the processes of TestLockAcrossProcesses.
const workerEnv = "LAB_TEST_STATE_WORKER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(workerEnv); dir != "" {
		if err := work(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// work takes the lock of one name ten times. While it holds the lock, it has the file "inside", which
// fails if another process has it. It deletes the cluster every second time.
func work(dir string) error {
	s := state.Open(filepath.Join(dir, "state"))
	s.Patience = time.Minute
	for i := range 10 {
		unlock, err := s.Lock(context.Background(), "lab")
		if err != nil {
			return err
		}
		inside := filepath.Join(dir, "inside")
		f, err := os.OpenFile(inside, os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return fmt.Errorf("two processes hold the lock: %w", err)
		}
		change := func() error { return s.Put(record("lab")) }
		if i%2 == 1 {
			change = func() error { return s.Delete("lab") }
		}
		if err := errors.Join(change(), f.Close(), os.Remove(inside)); err != nil {
			return err
		}
		unlock()
	}
	return nil
}

func TestLockAcrossProcesses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), workerEnv+"="+dir)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	wg.Wait()
	// The last process need not have deleted the cluster.
	s := state.Open(filepath.Join(dir, "state"))
	unlock, err := s.Lock(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Delete("lab"); err != nil {
		t.Fatal(err)
	}
	unlock()
	noTrace(t, filepath.Join(dir, "state"))
}

func TestLockAcrossGoroutines(t *testing.T) {
	t.Parallel()
	s := state.Open(t.TempDir())
	s.Patience = time.Minute
	var inside, all atomic.Int32
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			unlock, err := s.Lock(t.Context(), "lab")
			if err != nil {
				t.Error(err)
				return
			}
			defer unlock()
			defer inside.Add(-1)
			all.Add(1)
			if n := inside.Add(1); n != 1 {
				t.Errorf("%d hold the lock", n)
			}
			runtime.Gosched() // a second holder would run now
		})
	}
	wg.Wait()
	if n := all.Load(); n != 30 {
		t.Errorf("%d of 30 held the lock", n)
	}
}

func TestLockNamesHolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := state.Open(dir)
	s.Patience = 50 * time.Millisecond
	unlock, err := s.Lock(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.Lock(t.Context(), "other")
	if err != nil {
		t.Fatalf("another name is locked as well: %v", err)
	}
	defer other()

	pid := strconv.Itoa(os.Getpid())
	_, err = s.Lock(t.Context(), "lab")
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), pid) || !strings.Contains(fault.HintOf(err), "kill "+pid) {
		t.Errorf("%v, hint %q; want ErrUnavailable that names process %s", err, fault.HintOf(err), pid)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Lock(ctx, "lab"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	unlock()
	again, err := s.Lock(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	unlock() // a second time, while another caller holds the lock
	if _, err := s.Lock(t.Context(), "lab"); err == nil {
		t.Error("the second unlock released the lock of the next holder")
	}
	again()
}

func TestLockLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := state.Open(dir)
	for _, put := range []bool{false, true} {
		unlock, err := s.Lock(t.Context(), "lab")
		if err != nil {
			t.Fatal(err)
		}
		if put {
			if err := s.Put(record("lab")); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "clusters", "lab", ".cluster.json.lab-1"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Delete("lab"); err != nil {
			t.Fatal(err)
		}
		unlock()
		noTrace(t, dir)
	}
}

func noTrace(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		entries, _ := os.ReadDir(dir)
		t.Errorf("%s exists with %v", dir, entries)
	}
}

// The last unlock removes directories that lab created, but no links and no directories with other
// files.
func TestUnlockKeepsOtherFiles(t *testing.T) {
	t.Parallel()
	elsewhere, link, full := t.TempDir(), filepath.Join(t.TempDir(), "state"), t.TempDir()
	err := errors.Join(os.Symlink(elsewhere, link), os.WriteFile(filepath.Join(full, "mine"), nil, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{link, full} {
		unlock, err := state.Open(dir).Lock(t.Context(), "lab")
		if err != nil {
			t.Fatal(err)
		}
		unlock()
		noTrace(t, filepath.Join(dir, "clusters"))
		if _, err := os.Lstat(dir); err != nil {
			t.Error(err)
		}
	}
}

// A lock can be taken while other processes remove the directory.
func TestLockWhileDirectoryIsRemoved(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	s := state.Open(dir)
	var all sync.WaitGroup
	for i := range 6 {
		take, name := s.Use, "lab-"+strconv.Itoa(i)
		if i%2 == 0 {
			take = func(name string) (func(), error) { return s.Lock(t.Context(), name) }
		}
		all.Go(func() {
			for range 50 {
				unlock, err := take(name)
				if err != nil {
					t.Error(err)
					return
				}
				unlock()
			}
		})
	}
	all.Wait()
	noTrace(t, dir)
}

// A directory that can never exist is reported, although it causes the errors of one that is being removed.
func TestLockWithoutDirectory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows reports broken links with another error")
	}
	link := filepath.Join(t.TempDir(), "state")
	if err := os.Symlink("nowhere/at/all", link); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := state.Open(link)
	s.Patience = time.Hour
	_, err := s.Lock(ctx, "lab")
	if !errors.Is(err, fault.ErrUnavailable) || fault.HintOf(err) == "" {
		t.Errorf("got %v, hint %q", err, fault.HintOf(err))
	}
}

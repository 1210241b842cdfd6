package kubeconfig_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// workerEnv makes the test binary one of the processes of TestConcurrentProcesses.
const workerEnv = "LAB_TEST_KUBECONFIG_WORKER"

func TestMain(m *testing.M) {
	if job := os.Getenv(workerEnv); job != "" {
		if err := work(job); err != nil {
			fmt.Fprintln(os.Stderr, err, fault.HintOf(err))
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// work merges or removes one cluster, or checks, as job says: "up 7 PATH".
func work(job string) error {
	var verb, n, path string
	if _, err := fmt.Sscan(job, &verb, &n, &path); err != nil {
		return err
	}
	f := kubeconfig.Files{Paths: []string{path}}
	mine := own(n, "Y2F"+n)
	if verb == "check" {
		return f.Check(context.Background(), providers.Entries{}, "", "")
	}
	if verb == "up" {
		_, err := f.Merge(context.Background(), mine, kubeconfig.Options{SetCurrent: true})
		return err
	}
	id, err := kubeconfig.Identity(mine)
	if err != nil {
		return err
	}
	return f.Remove(context.Background(), "kind-"+n, id)
}

// Thirty processes at once lose no entry, and the file is restored after all are removed.
func TestConcurrentProcesses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"theirs": theirs, "skeleton": layouts()["skeleton null"], "empty": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, path := home(t, text)
			thirty(t, "up", path)
			got := content(t, path)
			for n := 10; n < 40; n++ {
				if strings.Count(got, fmt.Sprintf("name: kind-%d\n", n)) != 3 {
					t.Errorf("cluster %d was lost", n)
				}
			}
			thirty(t, "down", path)
			if got := content(t, path); got != text {
				t.Errorf("after all were removed, the file is\n%s", got)
			}
			noLeftovers(t, path)
		})
	}
}

func thirty(t *testing.T, verb, path string) {
	t.Helper()
	var wg sync.WaitGroup
	for n := 10; n < 40; n++ {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", workerEnv, verb, n, path))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s %d: %v: %s", verb, n, err, out)
			}
		})
	}
	wg.Wait()
}

func TestStaleLock(t *testing.T) {
	t.Parallel()
	f, path := home(t, theirs)
	f.Patience = 50 * time.Millisecond
	write(t, path+".lock", "")
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(path+".lock", old, old); err != nil {
		t.Fatal(err)
	}
	err := f.Use(t.Context(), "prod")
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "2h0m0s") || !strings.Contains(fault.HintOf(err), "rm "+path+".lock") {
		t.Errorf("%v, hint %q; want ErrUnavailable with the age, and how to remove it", err, fault.HintOf(err))
	}
	if got := content(t, path); got != theirs {
		t.Errorf("the file was changed to %s", got)
	}
	if _, err := os.Stat(path + ".lock"); err != nil {
		t.Errorf("the lock of another program was removed: %v", err)
	}
}

func TestWaitForLock(t *testing.T) {
	t.Parallel()
	f, path := home(t, theirs)
	write(t, path+".lock", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Use(ctx, "prod"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	done := make(chan error)
	go func() { done <- f.Use(t.Context(), "prod") }()
	if err := os.Remove(path + ".lock"); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Errorf("after the lock was released: %v", err)
	}
}

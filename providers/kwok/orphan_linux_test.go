package kwok

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestDeletedDirectory: the engine of a cluster whose directory was deleted, and that has not noticed, is
// listed, and Delete ends it. Processes that only use the directory are neither.
func TestDeletedDirectory(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		path   func(dir string) string // what is deleted
		reason string                  // "" if the rest of the directory still shows the cluster
	}{
		"directory":       {func(dir string) string { return dir }, "its directory was deleted, and its lab-engine"},
		"all directories": {filepath.Dir, "its directory was deleted, and its lab-engine"},
		"lock":            {func(dir string) string { return filepath.Join(dir, lockFile) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, "deaf")
			if err := p.Create(t.Context(), providers.Spec{Name: "demo", Mark: "a-mark"}, nil); err != nil {
				t.Fatal(err)
			}
			dir := p.dir("demo")
			ref := providers.Ref{Name: "demo", ID: only(t, p).ID, Mark: "a-mark"}
			pid, err := holder(dir)
			if err != nil || pid == 0 {
				t.Fatalf("the lock is held by %d, %v", pid, err)
			}
			ended := bystander(t, dir)
			if err := os.RemoveAll(test.path(dir)); err != nil {
				t.Fatal(err)
			}
			if test.reason != "" {
				wantState(t, p, providers.StateDegraded, test.reason)
				wantState(t, p, providers.StateDegraded, strconv.Itoa(pid))
				if err := p.Start(t.Context(), ref, nil); !errors.Is(err, fault.ErrNotFound) || fault.HintOf(err) == "" {
					t.Errorf("Start: %v (hint %q), want ErrNotFound", err, fault.HintOf(err))
				}
			}
			if now, err := holder(dir); now != pid || err != nil {
				t.Errorf("the engine is %d, %v; want %d", now, err, pid)
			}
			if err := p.Delete(t.Context(), ref); err != nil {
				t.Fatal(err)
			}
			if left := leaks(t, p.opts.Dir, "demo"); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
			if _, err := os.Stat(p.opts.Dir); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the directory of all clusters: %v, want ErrNotExist", err)
			}
			select {
			case err := <-ended:
				t.Errorf("another process in the directory ended: %v", err)
			default:
			}
			if err := p.Delete(t.Context(), ref); !errors.Is(err, fault.ErrNotFound) {
				t.Errorf("second Delete: %v, want ErrNotFound", err)
			}
		})
	}
}

// bystander starts a process that works in dir and has the lock open, but does not hold it. The channel gets
// its error when it ends.
func bystander(t *testing.T, dir string) <-chan error {
	t.Helper()
	lock, err := os.Open(filepath.Join(dir, lockFile))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	cmd := exec.Command("cat")
	cmd.Dir, cmd.ExtraFiles = dir, []*os.File{lock}
	stdin, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = stdin.Close() })
	return ended
}

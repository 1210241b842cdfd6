package kubeconfig_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func ofKind(name string) providers.Entries {
	return providers.Entries{Cluster: "kind-" + name, User: "kind-" + name, Context: "kind-" + name}
}

// Check reports all problems at once, each with its fix, and changes nothing.
func TestCheckReportsAllProblems(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // Windows has other modes
	}
	f, path := home(t, string(own("lab", "b3RoZXI=")))
	broken := filepath.Join(t.TempDir(), "broken")
	write(t, broken, "a: b: c")
	f.Paths = append(f.Paths, broken)
	write(t, path+".lock", "")
	if err := errors.Join(os.Chtimes(path+".lock", longAgo(), longAgo()), os.Chmod(path, 0o400)); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	err := f.Check(t.Context(), ofKind("lab"), "", "")
	if took := time.Since(begun); took > time.Second {
		t.Errorf("Check took %v", took)
	}
	for says, hint := range map[string]string{
		"held " + path + ".lock for 24h0m0s":                                  "rm " + path + ".lock",
		path + " is read-only":                                                "chmod u+w " + path,
		"cannot read the kubeconfig " + broken:                                "correct the file",
		`the context "kind-lab", the cluster "kind-lab", the user "kind-lab"`: "kubectl config delete-context kind-lab && kubectl config delete-cluster kind-lab && kubectl config delete-user kind-lab",
	} {
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(fault.HintOf(err), hint) {
			t.Errorf("%v, hint %q; want %q and %q", err, fault.HintOf(err), says, hint)
		}
	}
	if _, err := os.Stat(path + ".lock"); err != nil {
		t.Error(err)
	}
}

func TestCheckPath(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // Windows has other links and devices
	}
	dir := t.TempDir()
	for link, to := range map[string]string{"dangling": "no/config", "loop": "loop", "fresh": "config"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(dir, "file"), "")
	for path, tt := range map[string]struct {
		kind error
		hint string
	}{
		"none":      {},
		"new/none":  {},
		"fresh":     {},
		"file":      {},
		"file/none": {fault.ErrUnavailable, "KUBECONFIG"},
		"dangling":  {fault.ErrUnavailable, "mkdir -p " + filepath.Join(dir, "no")},
		"loop":      {fault.ErrUnavailable, "KUBECONFIG"},
		".":         {fault.ErrInvalid, "KUBECONFIG"},
	} {
		f := kubeconfig.Files{Paths: []string{filepath.Join(dir, path)}}
		err := f.Check(t.Context(), ofKind("lab"), "", "")
		if !errors.Is(err, tt.kind) || !strings.Contains(fault.HintOf(err), tt.hint) {
			t.Errorf("%s: %v, hint %q; want %v and %q", path, err, fault.HintOf(err), tt.kind, tt.hint)
		}
		if hint := fault.HintOf(err); strings.Count(hint, "export KUBECONFIG=FILE") > 1 {
			t.Errorf("%s: a problem is reported twice: %v, hint %q", path, err, hint)
		}
	}
	if err := (kubeconfig.Files{}).Check(t.Context(), ofKind("lab"), "", ""); !errors.Is(err, fault.ErrInvalid) || fault.HintOf(err) == "" {
		t.Errorf("without files: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 4 {
		t.Errorf("Check left %v, %v", entries, err)
	}
}

// A lock that is released is no problem, and neither are the entries of the cluster that will be
// replaced.
func TestCheckPasses(t *testing.T) {
	t.Parallel()
	f, path := home(t, theirs)
	mine := own("lab", "Y2E=")
	merge(t, f, mine)
	if err := f.Check(t.Context(), ofKind("lab"), "kind-lab", identity(t, mine)); err != nil {
		t.Errorf("the same cluster: %v", err)
	}
	if err := f.Check(t.Context(), ofKind("lab"), "", ""); !errors.Is(err, fault.ErrExists) {
		t.Errorf("a cluster of the same name: %v", err)
	}
	write(t, path+".lock", "")
	done := make(chan error)
	go func() { done <- f.Check(t.Context(), ofKind("other"), "", "") }()
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("a lock that was released: %v", err)
	}
}

// Check waits for a program that has held the lock for a second, as one does on a busy machine, and
// for no program whose lock is older than Patience.
func TestCheckWaits(t *testing.T) {
	t.Parallel()
	f, path := home(t, theirs)
	write(t, path+".lock", "")
	old := time.Now().Add(-time.Second)
	if err := os.Chtimes(path+".lock", old, old); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := f.Check(ctx, ofKind("lab"), "", ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a lock of one second: %v; want that Check waits", err)
	}
	f.Patience = time.Second
	if err := f.Check(t.Context(), ofKind("lab"), "", ""); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("a lock older than Patience: %v; want ErrUnavailable", err)
	}
}

// A file and a directory of root are two problems, each with the command that gives it to the user.
func TestCheckAsUser(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		t.Skip("only root on Linux can become another user")
	}
	home, err := os.MkdirTemp("", "lab-home-") // t.TempDir is not readable by other users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	path := filepath.Join(home, ".kube", "config")
	write(t, path, theirs)
	program := filepath.Join(home, "program")
	data := content(t, os.Args[0])
	err = errors.Join(os.WriteFile(program, []byte(data), 0o755), os.Chmod(home, 0o755), os.Chmod(filepath.Dir(path), 0o755), os.Chmod(path, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Env = []string{"HOME=" + home, workerEnv + "=check 7 " + path}
	cmd.SysProcAttr = asUser(54321)
	out, err := cmd.CombinedOutput()
	for _, want := range []string{"sudo chown 54321:54321 " + path, "sudo chown -R 54321:54321 " + filepath.Dir(path)} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v: %s\nwant %q", err, out, want)
		}
	}
}

//go:build e2e

package kwok

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// kubeconfigBefore is what a person had before lab came, comment and all.
const kubeconfigBefore = `# mine
apiVersion: v1
kind: Config
current-context: work
contexts:
- {name: work, context: {cluster: work, user: me}}
clusters:
- {name: work, cluster: {server: "https://192.0.2.1:6443"}}
users:
- {name: me, user: {token: not-a-secret}}
`

// machine is a home directory, with the programs in bin, and nothing else on PATH: no kubectl, above all.
type machine struct {
	lab  string
	root string
	env  []string
}

// newMachine returns a machine that fails the test if, when all else of it has ended, a process or file of lab's is
// left on it, or the kubeconfig is another.
func newMachine(t *testing.T) *machine {
	t.Helper()
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{lab: filepath.Join(bin, "lab"), root: t.TempDir()}
	for _, program := range []string{"lab", "lab-engine"} {
		if _, err := os.Stat(filepath.Join(bin, program)); err != nil {
			t.Fatalf("%v: run `make build`", err)
		}
	}
	for _, dir := range []string{"home", "tmp", "path"} {
		if err := os.Mkdir(m.path(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(m.path("kubeconfig"), []byte(kubeconfigBefore), 0o600); err != nil {
		t.Fatal(err)
	}
	m.env = []string{
		"HOME=" + m.path("home"), "TMPDIR=" + m.path("tmp"), "PATH=" + m.path("path"),
		"LAB_HOME=" + m.path("lab"), "KUBECONFIG=" + m.path("kubeconfig"),
	}
	t.Cleanup(func() {
		m.requireNoTrace(t)
		for _, pid := range m.engines(t) { // or they would outlive the failed test
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return m
}

func (m *machine) path(name string) string { return filepath.Join(m.root, name) }

func (m *machine) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, m.lab, args...)
	cmd.Env = m.env
	return cmd
}

// run runs lab, fails the test unless it exits with code, and returns both of its streams.
func (m *machine) run(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := m.command(ctx, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatalf("lab %q: %v", args, err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code {
		t.Fatalf("lab %q: exit code %d, want %d\n%s%s", args, got, code, &out, &errs)
	}
	return out.String(), errs.String()
}

// requireNoTrace compares the machine with what it was before lab came. Directories may stay empty.
func (m *machine) requireNoTrace(t *testing.T) {
	t.Helper()
	if pids := m.engines(t); len(pids) > 0 {
		t.Errorf("engines left behind: %v", pids)
	}
	if got, err := os.ReadFile(m.path("kubeconfig")); string(got) != kubeconfigBefore {
		t.Errorf("the kubeconfig is another (%v):\n%s", err, got)
	}
	err := filepath.WalkDir(m.root, func(path string, d fs.DirEntry, err error) error {
		// What kubectl keeps of its own in the home directory is not lab's.
		if err == nil && !d.IsDir() && path != m.path("kubeconfig") && !strings.HasPrefix(path, m.path("home/.kube/")) {
			t.Errorf("left behind: %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// engines returns the ids of the engines that run on the machine.
func (m *machine) engines(t *testing.T) []int {
	t.Helper()
	out, err := exec.Command("ps", "-Awwo", "pid=,args=").Output()
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	var pids []int
	for line := range strings.Lines(string(out)) {
		pid, args, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.Contains(args, "lab-engine serve --dir "+m.path("lab")) {
			continue
		}
		id, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatalf("ps: %q", line)
		}
		pids = append(pids, id)
	}
	return pids
}

//go:build e2e && unix

package kwok

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// userKubeconfig is the user's kubeconfig before the test. Its comments and quoting must survive.
const userKubeconfig = `# mine
apiVersion: v1
kind: Config
current-context: "work"
contexts:
- {name: work, context: {cluster: work, user: me}}   # do not touch
clusters:
- name: work
  cluster: {server: 'https://127.0.0.1:1'}
users:
- {name: me, user: {}}
`

// user runs lab with separate directories.
type user struct {
	session.Session
	root       string // contains all other directories
	labHome    string
	kubeconfig string
	bin        string // the directory of lab and lab-engine
	servers    []server
}

// newUser returns a user, and checks at the end of the test that nothing is left.
func newUser(t *testing.T) *user {
	t.Helper()
	root := t.TempDir()
	p := &user{
		root: root, labHome: filepath.Join(root, "lab"),
		kubeconfig: filepath.Join(root, "kube", "config"), bin: os.Getenv(binDir),
	}
	p.Session = session.Session{T: t, Command: p.command}
	for _, dir := range []string{"lab", "home", "kube", "tmp", "path"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(p.kubeconfig, []byte(userKubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.leave)
	return p
}

// command prepares a call of lab, with a time limit.
func (p *user) command(args ...string) *exec.Cmd {
	// t.Context is cancelled before cleanups, which call lab, too.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.T.Context()), 6*time.Minute)
	p.T.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, "lab"), args...)
	cmd.Dir = p.root
	cmd.Env = []string{
		"LAB_HOME=" + p.labHome, "HOME=" + filepath.Join(p.root, "home"), "KUBECONFIG=" + p.kubeconfig,
		"TMPDIR=" + filepath.Join(p.root, "tmp"), "PATH=" + filepath.Join(p.root, "path"),
	}
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// fails runs lab, which must fail with code and print all of words.
func (p *user) fails(code int, words []string, args ...string) session.Result {
	p.T.Helper()
	got := p.Try(args...)
	if got.Code != code {
		p.T.Errorf("lab %s: exit code %d, want %d", strings.Join(args, " "), got.Code, code)
	}
	for _, word := range words {
		if !strings.Contains(got.Stderr, word) {
			p.T.Errorf("the error of lab %s does not contain %q", strings.Join(args, " "), word)
		}
	}
	p.T.Logf("$ lab %s\n%s", strings.Join(args, " "), got.Stderr)
	return got
}

// up creates a cluster with a random name.
func (p *user) up(args ...string) (name string) {
	p.T.Helper()
	name = session.RandomName()
	p.Must(append([]string{"up", name, "--flavor", "kwok"}, args...)...)
	return name
}

// waitForFile waits until lab has created a file.
func (p *user) waitForFile(parts ...string) {
	p.T.Helper()
	path := filepath.Join(append([]string{p.labHome}, parts...)...)
	session.Eventually(p.T, time.Minute, func(context.Context) error {
		_, err := os.Stat(path)
		return err
	})
}

// waitForProcess waits until the user runs a program.
func (p *user) waitForProcess(program string) {
	p.T.Helper()
	session.Eventually(p.T, time.Minute, func(context.Context) error {
		for _, command := range p.processes() {
			if strings.Contains(command, program) {
				return nil
			}
		}
		return fmt.Errorf("no %s runs", program)
	})
}

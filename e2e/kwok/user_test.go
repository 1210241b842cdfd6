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

// userKubeconfig is what a person has before lab comes: comments and odd quoting
// included, all of which must survive.
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

// person is somebody who uses lab, with all that is theirs.
type user struct {
	session.Session
	root       string // all of the following are below it
	labHome    string
	kubeconfig string
	bin        string // where lab and lab-engine are
	servers    []server
}

// newUser returns a person, and checks at the end of the test that nothing of what
// they did is left.
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

// command prepares a call of lab. It ends with the test, at the latest.
func (p *user) command(args ...string) *exec.Cmd {
	// As t.Context ends before cleanups run, and they call lab too:
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

// fails runs lab, which must fail with code and say all of words.
func (p *user) fails(code int, words []string, args ...string) session.Result {
	p.T.Helper()
	got := p.Try(args...)
	if got.Code != code {
		p.T.Errorf("lab %s: exit code %d, want %d", strings.Join(args, " "), got.Code, code)
	}
	for _, word := range words {
		if !strings.Contains(got.Stderr, word) {
			p.T.Errorf("lab %s does not say %q", strings.Join(args, " "), word)
		}
	}
	p.T.Logf("$ lab %s\n%s", strings.Join(args, " "), got.Stderr)
	return got
}

// up makes a cluster of a random name.
func (p *user) up(args ...string) (name string) {
	p.T.Helper()
	name = session.RandomName()
	p.Must(append([]string{"up", name, "--flavor", "kwok"}, args...)...)
	return name
}

// waitForFile waits until lab has made a file of its own.
func (p *user) waitForFile(parts ...string) {
	p.T.Helper()
	path := filepath.Join(append([]string{p.labHome}, parts...)...)
	session.Eventually(p.T, time.Minute, func(context.Context) error {
		_, err := os.Stat(path)
		return err
	})
}

// waitForProcess waits until a program runs for the person.
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

//go:build e2e && unix

package kwok

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

// kubeconfigOfPerson is what a person has before lab comes: comments and odd quoting
// included, all of which must survive.
const kubeconfigOfPerson = `# mine
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
type person struct {
	t          *testing.T
	root       string // all of the following are below it
	labHome    string
	kubeconfig string
	bin        string // where lab and lab-engine are
	servers    []server
}

// newPerson returns a person, and checks at the end of the test that nothing of what
// they did is left.
func newPerson(t *testing.T) *person {
	t.Helper()
	root := t.TempDir()
	p := &person{
		t: t, root: root, labHome: filepath.Join(root, "lab"),
		kubeconfig: filepath.Join(root, "kube", "config"), bin: os.Getenv(binDir),
	}
	for _, dir := range []string{"lab", "home", "kube", "tmp", "path"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(p.kubeconfig, []byte(kubeconfigOfPerson), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.leave)
	return p
}

// result is what a command said.
type result struct {
	stdout, stderr string
	code           int // -1 where a signal ended it
}

// command prepares a call of lab. It ends with the test, at the latest.
func (p *person) command(args ...string) *exec.Cmd {
	// As t.Context ends before cleanups run, and they call lab too:
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.t.Context()), 6*time.Minute)
	p.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, "lab"), args...)
	cmd.Dir = p.root
	cmd.Env = []string{
		"LAB_HOME=" + p.labHome, "HOME=" + filepath.Join(p.root, "home"), "KUBECONFIG=" + p.kubeconfig,
		"TMPDIR=" + filepath.Join(p.root, "tmp"), "PATH=" + filepath.Join(p.root, "path"),
	}
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// try runs lab to its end, whatever that is.
func (p *person) try(args ...string) result {
	p.t.Helper()
	cmd := p.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Errorf("lab %s: %v", strings.Join(args, " "), err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// must runs lab, and ends the test where it fails.
func (p *person) must(args ...string) string {
	p.t.Helper()
	got := p.try(args...)
	if got.code != 0 {
		p.t.Fatalf("lab %s: exit code %d\n%s%s", strings.Join(args, " "), got.code, got.stdout, got.stderr)
	}
	return got.stdout
}

// fails runs lab, which must fail with code and say all of words.
func (p *person) fails(code int, words []string, args ...string) result {
	p.t.Helper()
	got := p.try(args...)
	if got.code != code {
		p.t.Errorf("lab %s: exit code %d, want %d", strings.Join(args, " "), got.code, code)
	}
	for _, word := range words {
		if !strings.Contains(got.stderr, word) {
			p.t.Errorf("lab %s does not say %q", strings.Join(args, " "), word)
		}
	}
	p.t.Logf("$ lab %s\n%s", strings.Join(args, " "), got.stderr)
	return got
}

// listed is a cluster in what `lab list -o json` prints, as a script would read it.
type listed struct {
	Name, Flavor, Reason, Context string
	State                         providers.State
}

// list returns the clusters that lab lists, by name.
func (p *person) list() map[string]listed {
	p.t.Helper()
	var list struct{ Items []listed }
	if err := json.Unmarshal([]byte(p.must("list", "-o", "json")), &list); err != nil {
		p.t.Fatal(err)
	}
	found := map[string]listed{}
	for _, c := range list.Items {
		found[c.Name] = c
	}
	return found
}

// up makes a cluster of a random name.
func (p *person) up(args ...string) (name string) {
	p.t.Helper()
	name = randomName()
	p.must(append([]string{"up", name, "--flavor", "kwok"}, args...)...)
	return name
}

func randomName() string { return "e2e-" + strings.ToLower(rand.Text()[:8]) }

// eventually repeats try until it returns nil, and ends the test with its last error
// when limit has passed.
func eventually(t *testing.T, limit time.Duration, try func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("after %s: %v", limit, err)
		case <-tick.C:
		}
	}
}

// waitForFile waits until lab has made a file of its own.
func (p *person) waitForFile(parts ...string) {
	p.t.Helper()
	path := filepath.Join(append([]string{p.labHome}, parts...)...)
	eventually(p.t, time.Minute, func(context.Context) error {
		_, err := os.Stat(path)
		return err
	})
}

// waitForProcess waits until a program runs for the person.
func (p *person) waitForProcess(program string) {
	p.t.Helper()
	eventually(p.t, time.Minute, func(context.Context) error {
		for _, command := range p.processes() {
			if strings.Contains(command, program) {
				return nil
			}
		}
		return fmt.Errorf("no %s runs", program)
	})
}

//go:build e2e && unix

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// TestLifecycle creates a cluster, reaches a pod from the host, stops and starts the cluster, kills and repairs a
// node, and deletes the cluster without a trace.
func TestLifecycle(t *testing.T) {
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		if f.name == "kind" {
			takesLong(t) // TestTutorial covers most of it with kind
		}
		lifecycle(t, bed, f)
	})
}

func lifecycle(t *testing.T, bed *bed, f flavor) {
	p, name, port := newUser(t, bed), session.RandomName(), freePort(t)
	up := []string{"up", name, "--flavor", f.name, "--port", strconv.Itoa(port) + ":" + strconv.Itoa(f.port)}
	t.Cleanup(func() {
		if t.Failed() {
			_ = p.lab(context.Background(), "down", name).Run()
		}
	})
	p.Must(up...)
	if again := p.Must(append(up, "--dry-run", "-o", "json")...); !strings.Contains(again, `"action": "none"`) {
		t.Errorf("a second up would change something: %s", again)
	}
	answered := func(path string) {
		t.Helper()
		session.Eventually(t, 2*time.Minute, func(ctx context.Context) error { return answers(ctx, port, "hello", path, "hello v2 from hello") })
	}

	p.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
	p.apply(f.web("hello", bed.helloNew))
	p.Must("image", "load", bed.helloNew, "--name", name)
	p.kubectl("wait", "--for=condition=Ready", "pod/hello", "--timeout=90s")
	answered("/one")

	if f.name != "minikube" || !testing.Short() { // the contract suite stops clusters, too; minikube's stop is slow
		p.Must("stop", name)
		if state := p.List()[name].State; state != "stopped" {
			t.Errorf("state is %q", state)
		}
		if answers(t.Context(), port, "hello", "/two", "hello") == nil {
			t.Error("a stopped cluster answers")
		}
		p.squat(f.network(name))
		p.Must("start", name)
		answered("/three")
	}

	kill(t, f.node(name))
	if state := p.List()[name].State; state != "degraded" {
		t.Errorf("state is %q", state)
	}
	p.Must(up...)
	answered("/four")
	logs := t.TempDir()
	p.Must("logs", name, "--dir", logs)
	if files := filesBelow(t, logs); len(files) < 4 {
		t.Errorf("the logs are %q", files)
	}
	p.unsquat()
	p.Must("down", name)
	p.checkNothing(name)
}

// refusal is a creation that fails: the flags, the exit code, and a part of the error.
type refusal struct {
	args []string
	code int
	says string
}

// nativeFile writes a configuration of the tool, and returns its path.
func nativeFile(t *testing.T, p *user, text []byte) string {
	t.Helper()
	file, err := os.CreateTemp(p.dir, "native-*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(text); err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

// removeLogs removes the directory in which lab saved the logs of a failed creation, according to the error.
func (p *user) removeLogs(said string) {
	p.T.Helper()
	_, after, found := strings.Cut(said, "its logs are in ")
	if dir, _, _ := strings.Cut(after, "\n"); found && strings.HasPrefix(dir, filepath.Join(p.dir, "tmp")) {
		if err := os.RemoveAll(dir); err != nil {
			p.T.Error(err)
		}
	}
}

// TestCreationErrors checks the errors of creations that fail: they state the cause first.
func TestCreationErrors(t *testing.T) {
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		p, name := newUser(t, bed), session.RandomName()
		for _, test := range f.refused(t, p) {
			got := p.Try(append([]string{"up", name, "--flavor", f.name}, test.args...)...)
			if got.Code != test.code || !strings.Contains(got.Stderr, test.says) {
				t.Errorf("%q: exit code %d, want %d and %q:\n%s", test.args, got.Code, test.code, test.says, got.Stderr)
			}
			t.Log(got.Stderr)
			p.removeLogs(got.Stderr)
			p.checkNothing(name)
		}
	})
}

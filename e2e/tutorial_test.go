//go:build e2e && unix

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/console"
	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// TestTutorial runs the commands of docs/tutorial.md with each flavor. It replaces the cluster's name, the port and
// the names of images, so that other tests on the same machine do not conflict.
func TestTutorial(t *testing.T) {
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		oneWillDo(t, f, "kind")
		calls, err := console.Read(filepath.Join("..", "docs", "tutorial.md"))
		if err != nil {
			t.Fatal(err)
		}
		if len(calls) < 10 {
			t.Errorf("the tutorial has only %d commands", len(calls))
		}
		p, name, port := newUser(t, bed), session.RandomName(), freePort(t)
		t.Cleanup(func() {
			if t.Failed() {
				_ = p.lab(context.Background(), "down", name).Run()
			}
			_ = exec.Command("docker", "image", "rm", name+":v1", name+":v2").Run()
		})
		s := p.shell("docs/examples", name)
		replace := strings.NewReplacer("--flavor kind", "--flavor "+f.name, "8080", strconv.Itoa(port), "web:v", name+":v",
			"lab image load", "lab image load --name "+name, "lab up", "lab up "+name, "lab stop", "lab stop "+name,
			"lab start", "lab start "+name, "lab down", "lab down "+name)
		for _, call := range calls {
			s.types(console.Call{Line: replace.Replace(call.Line), Prints: call.Prints})
		}
		p.checkNothing(name)
	})
}

// shell runs commands in a directory.
type shell struct {
	p   *user
	dir string
	env []string
}

// shell returns a shell in a directory that contains a copy of a directory of the repository. In the copy, images of
// web have the given name.
func (p *user) shell(dir, image string) *shell {
	p.T.Helper()
	if err := os.CopyFS(filepath.Join(p.dir, dir), os.DirFS(filepath.Join("..", dir))); err != nil {
		p.T.Fatal(err)
	}
	manifest := filepath.Join(p.dir, dir, "web", "web.yaml")
	text, err := os.ReadFile(manifest)
	if err == nil {
		err = os.WriteFile(manifest, bytes.ReplaceAll(text, []byte("web:v"), []byte(image+":v")), 0o600)
	}
	if err != nil {
		p.T.Fatal(err)
	}
	cache, err := exec.Command("go", "env", "GOCACHE").Output() // the user's home has no cache
	if err != nil {
		p.T.Fatal(err)
	}
	path := strings.Join([]string{os.Getenv(binDir), filepath.Join(p.bed.dir, "bin"), os.Getenv("PATH")}, string(filepath.ListSeparator))
	return &shell{p, p.dir, append(append(os.Environ(), p.env...), "PATH="+path, "GOCACHE="+strings.TrimSpace(string(cache)))}
}

// types runs a command, and compares its output with the page. It handles curl itself, because not every machine has curl
// and pods may need time to start.
func (s *shell) types(call console.Call) {
	s.p.T.Helper()
	if dir, ok := strings.CutPrefix(call.Line, "cd "); ok {
		s.dir = filepath.Join(s.dir, dir)
		return
	}
	if at, ok := strings.CutPrefix(call.Line, "curl localhost:"); ok {
		s.gets(at, call.Prints)
		return
	}
	call.Check(s.p.T, s.command(call.Line))
}

// command prepares a command line.
func (s *shell) command(line string) *exec.Cmd {
	cmd := exec.CommandContext(s.p.T.Context(), "sh", "-c", line)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

// gets waits until the response of a port begins with prints, except for random parts.
func (s *shell) gets(at, prints string) {
	s.p.T.Helper()
	port, err := strconv.Atoi(at)
	if err != nil {
		s.p.T.Fatal(err)
	}
	version, _, ok := strings.Cut(prints, " in web-")
	if !ok {
		s.p.T.Fatalf("%q is not a response of web", prints)
	}
	session.Eventually(s.p.T, time.Minute, func(ctx context.Context) error {
		return answers(ctx, port, "localhost", "/", fmt.Sprintf("%s in web-", version))
	})
}

//go:build e2e && unix

package kwok

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// leave cleans up after a failed test, and reports everything that is left.
func (p *user) leave() {
	if p.T.Failed() {
		p.rescue()
	}
	for pid, command := range p.processes() {
		p.T.Errorf("left behind: process %d: %s", pid, command)
	}
	p.checkServers()
	p.checkFiles()
}

// rescue removes and logs the leftovers of a failed test.
func (p *user) rescue() {
	got := p.Try("list")
	p.T.Logf("$ lab list\n%s%s", got.Stdout, got.Stderr)
	_ = p.Try("down", "--all")
	for pid := range p.processes() {
		if process, err := os.FindProcess(pid); err == nil {
			_ = process.Kill()
		}
	}
}

// checkServers reports API servers that still answer. Another program may use the port, but does not have the
// certificate.
func (p *user) checkServers() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for _, s := range p.servers {
		if _, err := s.client.Discovery().RESTClient().Get().AbsPath("/livez").DoRaw(ctx); err == nil {
			p.T.Errorf("left behind: an API server at %s", s.address)
		}
	}
}

// checkFiles reports files that lab left, and changes of the kubeconfig.
func (p *user) checkFiles() {
	for _, path := range p.left() {
		p.T.Errorf("left behind: %s", path)
	}
	after, err := os.ReadFile(p.kubeconfig)
	if err != nil {
		p.T.Errorf("the kubeconfig: %v", err)
	}
	if diff := cmp.Diff(userKubeconfig, string(after)); diff != "" {
		p.T.Errorf("the kubeconfig has changed (-before +after):\n%s", diff)
	}
	if info, err := os.Stat(p.kubeconfig); err == nil && info.Mode().Perm() != 0o600 {
		p.T.Errorf("the mode of the kubeconfig is %v", info.Mode())
	}
}

// left returns all files except the user's kubeconfig, and all directories that lab created, even empty ones.
func (p *user) left() []string {
	left := slices.DeleteFunc(filesBelow(p.T, p.root), func(path string) bool { return path == p.kubeconfig })
	for _, dir := range []string{p.labHome, filepath.Join(p.root, "home"), filepath.Join(p.root, "tmp")} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			p.T.Error(err)
		}
		for _, e := range entries {
			if e.IsDir() {
				left = append(left, filepath.Join(dir, e.Name()))
			}
		}
	}
	return left
}

// filesBelow returns everything below dir that is not a directory.
func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	return files
}

// TestLeakCheckCanFail checks that the checks of leave find files, processes and servers.
func TestLeakCheckCanFail(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	client := p.client(name)
	if client == nil || len(p.servers) != 1 {
		t.Fatal("the API server is not recorded")
	}
	if got := len(p.processes()); got != 1 {
		t.Errorf("found %d processes of one cluster", got)
	}
	empty := filepath.Join(p.root, "tmp", "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	found := strings.Join(p.left(), "\n")
	for _, want := range []string{"cluster.json", "kubeconfig", "etcd.sock", empty} {
		if !strings.Contains(found, want) {
			t.Errorf("%s is not found", want)
		}
	}
	if err := os.Remove(empty); err != nil {
		t.Error(err)
	}
	p.Must("down", name)
}

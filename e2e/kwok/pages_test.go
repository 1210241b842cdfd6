//go:build e2e && unix

package kwok

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/e2e/internal/console"
	"github.com/clusterlab-dev/lab/e2e/internal/strategies"
)

// TestStrategies runs the commands of docs/strategies.md on a cluster that simulates pods.
func TestStrategies(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "strategies.md"))
	if err != nil {
		t.Fatal(err)
	}
	p := newUser(t)
	strategies.Reader{Session: p.Session, Shell: p.typed, Line: onKwok, Simulated: true}.Read(string(page))
}

// TestSnapshotsPage runs the commands of docs/snapshots.md, and compares their output with the page.
func TestSnapshotsPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "snapshots.md"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(console.Parse(string(page))); n < 5 {
		t.Errorf("the page has only %d commands", n)
	}
	p := newUser(t)
	p.types(string(page))
	p.Must("down", "shop")
}

// types runs the commands of a text, and compares what they print.
func (p *user) types(text string) {
	p.T.Helper()
	for _, call := range console.Parse(text) {
		call.Check(p.T, p.typed(onKwok(call.Line)))
	}
}

// typed prepares a command line of a user who has lab on PATH.
func (p *user) typed(line string) *exec.Cmd {
	cmd := p.command()
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", line}
	cmd.Env = append(cmd.Env, "PATH="+p.bin)
	return cmd
}

// onKwok changes a command line of a page that uses kind.
func onKwok(line string) string { return strings.Replace(line, "--flavor kind", "--flavor kwok", 1) }

//go:build e2e && unix

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
	"github.com/clusterlab-dev/lab/e2e/internal/strategies"
)

// TestStrategies runs the commands of docs/strategies.md on real pods, and checks what `lab traffic` measures: lost
// requests, gaps and shares. -v prints the pictures.
func TestStrategies(t *testing.T) {
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		takesLong(t)
		oneWillDo(t, f, "kind")
		page, err := os.ReadFile(filepath.Join("..", "docs", "strategies.md"))
		if err != nil {
			t.Fatal(err)
		}
		p, name := newUser(t, bed), session.RandomName()
		p.helloImages()
		t.Cleanup(func() {
			if t.Failed() {
				p.Try("down", name)
			}
		})
		s := p.shell("docs/examples", name)
		replace := strings.NewReplacer("--flavor kind", "--flavor "+f.name, "bin/lab-hello.tar", filepath.Join(os.Getenv(binDir), "lab-hello.tar"),
			"lab image load", "lab image load --name "+name, "lab up", "lab up "+name, "lab kubectl", "lab kubectl "+name, "lab down", "lab down "+name)
		strategies.Reader{Session: p.Session, Shell: s.command, Line: replace.Replace, Traffic: []string{"--name", name}}.Read(string(page))
		p.checkNothing(name)
	})
}

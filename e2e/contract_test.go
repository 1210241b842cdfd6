//go:build e2e && unix

package e2e

import (
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// TestContract runs the contract suite of the providers on the real tools. TestBare checks the rules about clusters
// that lab did not create.
func TestContract(t *testing.T) {
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		archive := bed.save(t, bed.helloNew)
		providertest.Run(t, func(t *testing.T) providertest.Harness {
			h := f.harness(t, bed)
			h.Prefix, h.Timeout, h.Slow = session.Prefix+"c", 5*time.Minute, true
			h.Archive, h.Image, h.Probe = archive, bed.helloNew, providertest.AskVersion
			h.Break = func(t *testing.T, name string) { kill(t, f.node(name)) }
			h.Goroutines = append(h.Goroutines, "os/exec.(*Cmd)")
			return h
		})
	})
}

// save returns the path of an archive with an image of the engine.
func (b *bed) save(t *testing.T, image string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image.tar")
	docker(t, "save", "--output", path, image)
	return path
}

// kill kills a node, including its frozen processes.
func kill(t *testing.T, node string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "docker", "kill", node).CombinedOutput()
	if err == nil {
		return
	}
	if !isFrozen(string(out)) {
		t.Fatalf("docker kill %s: %v\n%s", node, err, out)
	}
	thaw(t, strings.TrimSpace(docker(t, "inspect", "--format={{.Id}}", node)))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "docker", "wait", node).CombinedOutput(); err != nil {
		t.Fatalf("docker wait %s: %v\n%s", node, err, out)
	}
}

// listen uses a port of the loopback until the end of the test.
func listen(t *testing.T, port int) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
}

//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// bed describes the test bed, or with LAB_E2E_IMAGES=upstream the published images: the flags with which each tool
// finds its images.
type bed struct {
	dir           string
	hello         string // in every node of the test bed
	helloNew      string // only in the Docker Engine
	metricsServer string
	minikubeHome  string
	flavors       map[string]bedFlavor // by name; empty with the published images
	observability string               // a lab.yaml with kube-prometheus-stack; "" with the published images, which need none
	logsTag       string               // of the images of VictoriaLogs in the Docker Engine; "" with the published images
}

// bedFlavor contains the flags and the environment with which a tool's own command creates a cluster.
type bedFlavor struct{ Args, Env []string }

// testbed returns the test bed. It fails the test if the test bed is not available: a skipped test would look like a
// passed one.
func testbed(t *testing.T) *bed {
	t.Helper()
	out, err := testbedCommand("show").Output()
	if err != nil {
		t.Fatalf("%v: the test bed is not ready: run `make testbed`", err)
	}
	var shown struct {
		Dir, Hello, HelloNew, MetricsServer, MinikubeHome, Observability, LogsTag string
		Flavors                                                                   map[string]bedFlavor
	}
	if err := json.Unmarshal(out, &shown); err != nil {
		t.Fatalf("testbed show: %v", err)
	}
	b := &bed{dir: shown.Dir, hello: shown.Hello, helloNew: shown.HelloNew, metricsServer: shown.MetricsServer, minikubeHome: shown.MinikubeHome,
		observability: shown.Observability, logsTag: shown.LogsTag, flavors: shown.Flavors}
	if out, err := b.command(t.Context(), nil, "docker", "version").CombinedOutput(); err != nil {
		t.Fatalf("no Docker Engine answers: run `make testbed`\n%s", out)
	}
	return b
}

// testbedCommand prepares a command of the test bed, built as `make testbed` builds it.
func testbedCommand(verb string) *exec.Cmd {
	cmd := exec.Command("go", "run", "-trimpath", "./testbed", verb)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return cmd
}

// command prepares a program of the test bed, or the one on PATH if the test bed does not have it.
func (b *bed) command(ctx context.Context, env []string, name string, args ...string) *exec.Cmd {
	if own := filepath.Join(b.dir, "bin", name); isFile(own) {
		name = own
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = 10 * time.Second // a grandchild may hold the output open
	return cmd
}

// flag returns the value of a flag that is given as --name=value.
func flag(args []string, name string) string {
	for _, arg := range args {
		if value, ok := strings.CutPrefix(arg, name+"="); ok {
			return value
		}
	}
	return ""
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// run runs a command with the environment of the cluster. If the command fails, the output contains both streams.
func (c *cluster) run(ctx context.Context, command []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	cmd := c.bed.command(ctx, c.env, command[0], command[1:]...)
	var out, both bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &both
	err := cmd.Run()
	if err != nil {
		return out.String() + both.String(), err
	}
	return out.String(), nil
}

// takesLong skips a test with -short, which .ci/run sets.
func takesLong(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("skipped by -short")
	}
}

func engineObjects(t *testing.T) map[string]bool {
	t.Helper()
	objects := map[string]bool{}
	for kind, args := range map[string][]string{
		"container": {"ps", "--all", "--format={{.Names}}"},
		"network":   {"network", "ls", "--format={{.Name}}"},
		"volume":    {"volume", "ls", "--format={{.Name}}"},
	} {
		out, err := exec.Command("docker", args...).Output()
		if err != nil {
			t.Fatalf("docker %s: %v", strings.Join(args, " "), err)
		}
		for name := range strings.FieldsSeq(string(out)) {
			objects[fmt.Sprintf("%s %s", kind, name)] = true
		}
	}
	return objects
}

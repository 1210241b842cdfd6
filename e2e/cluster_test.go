//go:build e2e && unix

package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// cluster is a cluster that a test creates with the tool's own commands.
type cluster struct {
	name, kubeconfig string
	env              []string
	bed              *bed

	create, delete []string
	loadOne        func(image string) []string
}

// cluster returns a cluster of a tool with a random name, and deletes it at the end of the test if the test failed.
// The test fails if anything is left of the cluster.
func (b *bed) cluster(t *testing.T, tool string) *cluster {
	t.Helper()
	c := &cluster{name: session.RandomName(), kubeconfig: t.TempDir() + "/kubeconfig", bed: b}
	c.env = []string{"KUBECONFIG=" + c.kubeconfig}
	requireNoLeak(t, c.name)
	flavorOf(t, tool).bare(b, c)
	t.Cleanup(func() {
		if t.Failed() {
			c.keepLogs(t)
			_, _ = c.run(context.Background(), c.delete)
		}
	})
	return c
}

// remove deletes the cluster with its tool. It retries if a process in a node was frozen, which is not an error of
// the tool.
func (c *cluster) remove(t *testing.T) {
	t.Helper()
	out, err := c.run(t.Context(), c.delete)
	switch {
	case err == nil:
		return
	case !isFrozen(out):
		t.Fatalf("%s: %v\n%s", strings.Join(c.delete, " "), err, out)
	}
	for id := range strings.FieldsSeq(docker(t, "ps", "--all", "--quiet", "--no-trunc", "--filter=name="+c.name)) {
		thaw(t, id)
	}
	c.must(t, c.delete)
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// isFrozen reports whether docker could not end a node because of a frozen process. On cgroup v1, runc freezes a pod
// briefly when it starts it. If the node is killed then, the frozen processes cannot end.
func isFrozen(out string) bool { return strings.Contains(out, "did not receive an exit event") }

// thaw thaws the frozen processes of a container.
func thaw(t *testing.T, id string) {
	t.Helper()
	for _, path := range filesBelow(t, filepath.Join("/sys/fs/cgroup/freezer/docker", id)) {
		if filepath.Base(path) == "freezer.state" {
			_ = os.WriteFile(path, []byte("THAWED"), 0o600) // the pod may be gone
		}
	}
}

// load copies images of the Docker Engine to the cluster. It skips images that are not in the engine, because the
// nodes of the test bed already have them.
func (c *cluster) load(t *testing.T, images ...string) {
	t.Helper()
	for _, image := range images {
		if exec.Command("docker", "image", "inspect", image).Run() == nil {
			c.must(t, c.loadOne(image))
		}
	}
}

// must runs a command of the cluster's tool, and ends the test if it fails.
func (c *cluster) must(t *testing.T, command []string) string {
	t.Helper()
	out, err := c.run(t.Context(), command)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
	return out
}

func (c *cluster) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return c.must(t, append([]string{"kubectl"}, args...))
}

func (c *cluster) apply(t *testing.T, manifest string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(path, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	c.kubectl(t, "apply", "--filename="+path)
}

// keepLogs logs the state of the cluster after a failure.
func (c *cluster) keepLogs(t *testing.T) {
	for _, command := range [][]string{
		{"kubectl", "get", "nodes,pods", "--all-namespaces", "--output=wide"},
		{"kubectl", "get", "events", "--all-namespaces"},
		{"docker", "ps", "--all"},
	} {
		out, err := c.run(context.Background(), command)
		t.Logf("%s: %v\n%s", strings.Join(command, " "), err, out)
	}
}

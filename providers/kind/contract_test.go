//go:build !windows

package kind

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/kind/pkg/cluster"
	"sigs.k8s.io/kind/pkg/log"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// inNode answers what kind runs in a node. fail is the beginning of a command that fails.
func inNode(fail string) func(*dockertest.Node, []byte, []string) (string, error) {
	return func(c *dockertest.Node, _ []byte, command []string) (string, error) {
		line := strings.Join(command, " ")
		switch {
		case fail != "" && strings.HasPrefix(line, fail):
			return "", errors.New("error execution phase preflight: it broke")
		case line == "cat /kind/version":
			return "v1.37.0\n", nil
		case line == "cat "+adminFile:
			return c.Files[adminFile], nil
		case strings.HasSuffix(line, "images ls --quiet"):
			return "docker.io/library/web:v1\n", nil
		}
		return "", nil
	}
}

// systemd is the program of a node.
func systemd(c *dockertest.Node) (output string, err error) {
	c.Files[adminFile] = c.Kubeconfig()
	return "Reached target Multi-User System\n", nil
}

// TestContract runs the contract suite on kind's own library and a fake engine. What happens in
// nodes is left to the suite of the same name in e2e, as is LoseID, because a cluster of one
// node loses everything with it, and LoseMark, because nothing can change a mount of a container.
func TestContract(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kind")
	fakeNode := func(e *dockertest.Engine, name string, extra ...string) error {
		args := []string{"--name=" + name + "-control-plane", "--hostname=" + name + "-control-plane", "--net=kind",
			"--label=" + labelCluster + "=" + name, "--label=" + labelRole + "=" + roleControlPlane}
		c, err := e.Create(slices.Concat(args, extra, []string{"image"})...)
		if err == nil {
			e.Age(c)
		}
		return err
	}
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		e := dockertest.NewEngine(t)
		e.Start, e.Exec = systemd, inNode("")
		return providertest.Harness{
			Cannot: []providertest.Ability{providertest.Snapshots},
			New:    func() providers.Provider { return New(Options{Dir: dir}) },
			Leaks: func(t *testing.T, name string) []string {
				found := e.Leftovers(name)
				if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
					found = append(found, filepath.Join(dir, name))
				}
				return found
			},
			Invalid: map[string]func(*providers.Spec){
				"an unknown key": func(s *providers.Spec) { s.Native = []byte(nativeHead + "nods: []") },
			},
			Unsupported: map[string]func(*providers.Spec){"a driver": func(s *providers.Spec) { s.Driver = "kvm" }},
			Failures: map[string]func(*testing.T, *providers.Spec){
				"a kubeadm that fails": func(failing *testing.T, _ *providers.Spec) {
					e.Exec = inNode("kubeadm init")
					failing.Cleanup(func() { e.Exec = inNode("") })
				},
			},
			Unavailable: dockertest.Unavailable(New(Options{Dir: dir})),
			Archive:     dockertest.Images(t, "web:v1"),
			Image:       "web:v1",
			Context:     func(name string) string { return "kind-" + name },
			Probe:       providertest.AskVersion,
			Break: func(t *testing.T, name string) {
				if err := e.Kill(name + "-control-plane"); err != nil {
					t.Fatal(err)
				}
			},
			HalfMade: func(t *testing.T, spec providers.Spec) {
				if err := fakeNode(e, spec.Name, "--volume=/lib/modules:"+markInNode+spec.Mark+":ro"); err != nil {
					t.Fatal(err)
				}
			},
			Foreign: func(t *testing.T, name string) {
				err := tool(log.NoopLogger{}).Create(name, cluster.CreateWithKubeconfigPath(filepath.Join(t.TempDir(), "kubeconfig")))
				if err != nil {
					t.Fatal(err)
				}
			},
			Replace: func(t *testing.T, name string) {
				err := New(Options{Dir: dir}).Delete(t.Context(), providers.Ref{Name: name})
				if err == nil {
					err = tool(log.NoopLogger{}).Create(name, cluster.CreateWithKubeconfigPath(filepath.Join(t.TempDir(), "kubeconfig")))
				}
				if err != nil {
					t.Fatal(err)
				}
			},
			Goroutines: []string{"dockertest.", "os/exec.(*Cmd)"},
		}
	})
}

//go:build !windows && !race

// k3d's library and Docker's, which it uses, write the same global variables in several
// goroutines: the race detector would report those, so `make test` runs the contract without it.

package k3d

import (
	"errors"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/k3d-io/k3d/v5/pkg/client"
	"github.com/k3d-io/k3d/v5/pkg/runtimes"
	k3d "github.com/k3d-io/k3d/v5/pkg/types"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/hostport"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// program is the program of a container of k3d: k3s, or a load balancer that needs the
// configuration that k3d writes for it.
func program(c *dockertest.Node) (output string, err error) {
	role := k3d.Role(c.Config.Labels[k3d.LabelRole])
	switch role {
	case k3d.ServerRole:
		c.Files[adminFile] = c.Kubeconfig()
		c.Files["/var/lib/rancher/k3s/server/manifests/coredns.yaml"] = "kind: ConfigMap\ndata: {}\n"
		output = "Cluster dns configmap has been set successfully\n"
	case k3d.LoadBalancerRole:
		if !strings.Contains(c.Files[k3d.DefaultLoadbalancerConfigPath], "6443.tcp") {
			return "", errors.New("the API server is not in the configuration")
		}
	}
	return output + k3d.GetReadyLogMessage(&k3d.Node{Role: role}, k3d.IntentAny) + "\n", nil
}

// inNode answers what lab and k3d run in a node.
func inNode(_ *dockertest.Node, _ []byte, command []string) (string, error) {
	if strings.HasSuffix(strings.Join(command, " "), "images ls --quiet") {
		return "docker.io/library/web:v1\n", nil
	}
	return "", nil
}

// createWithK3d creates a cluster as k3d's own command does.
func createWithK3d(t *testing.T, name string) {
	t.Helper()
	p := New(Options{})
	config, err := configFor(providers.Spec{Name: name}, p.opts)
	if err != nil {
		t.Fatal(err)
	}
	free, err := hostport.Free(t.Context(), hostport.Port{Address: loopback})
	if err != nil {
		t.Fatal(err)
	}
	config.ExposeAPI.HostPort = strconv.Itoa(free)
	full, err := complete(t.Context(), config, p.opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.ClusterRun(t.Context(), runtimes.Docker, full); err != nil {
		t.Fatal(err)
	}
}

// halfMade leaves a network, a volume and a node that was never started.
func halfMade(t *testing.T, e *dockertest.Engine, spec providers.Spec) {
	t.Helper()
	cluster := containerName(spec.Name, "")
	for _, command := range [][]string{{"network", "create", "--label=" + labelOwner}, {"volume", "create", "--label=" + k3d.LabelClusterName + "=" + spec.Name}} {
		if err := docker.Do(t.Context(), command, cluster); err != nil {
			t.Fatal(err)
		}
	}
	c, err := e.Create("--name="+cluster+"-server-0", "--hostname="+cluster+"-server-0", "--net="+cluster, "--label="+labelOwner,
		"--label="+k3d.LabelClusterName+"="+spec.Name, "--label="+k3d.LabelRole+"="+string(k3d.ServerRole), "--label="+labelMark+"="+spec.Mark, "image")
	if err != nil {
		t.Fatal(err)
	}
	e.Age(c)
}

// filesBelow returns the temporary files that k3d left.
func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "k3d-*"))
	if err != nil {
		t.Error(err)
	}
	return files
}

// TestContract runs the contract suite on k3d's own library and a fake engine. What happens in
// nodes is left to the suite of the same name in e2e, as is LoseMark: a cluster of which no
// container is left is known by its network.
func TestContract(t *testing.T) {
	providertest.Run(t, func(t *testing.T) providertest.Harness {
		e := dockertest.NewEngine(t)
		e.Start, e.Exec = program, inNode
		e.Authority = func(c *dockertest.Node) string { return c.Config.Labels[k3d.LabelClusterToken] } // of each cluster
		tmp := t.TempDir()
		t.Setenv("TMPDIR", tmp) // k3d leaves files there
		taken, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = taken.Close() })
		return providertest.Harness{
			Cannot: []providertest.Ability{providertest.Snapshots},
			New:    func() providers.Provider { return New(Options{}) },
			Leaks: func(t *testing.T, name string) []string {
				return slices.Concat(e.Leftovers(name), filesBelow(t, tmp))
			},
			Invalid: map[string]func(*providers.Spec){
				"an unknown key": func(s *providers.Spec) { s.Native = []byte("{kind: Simple, apiVersion: k3d.io/v1alpha5, nods: []}") },
			},
			Unsupported: map[string]func(*providers.Spec){"a driver": func(s *providers.Spec) { s.Driver = "kvm" }},
			Failures: map[string]func(*testing.T, *providers.Spec){
				"a port that is in use": func(_ *testing.T, s *providers.Spec) {
					s.Ports = []providers.Port{{Host: taken.Addr().(*net.TCPAddr).Port, Container: 80}}
				},
				"a k3s that exits": func(failing *testing.T, _ *providers.Spec) {
					e.Start = func(*dockertest.Node) (string, error) { return "", errors.New(`level=fatal msg="it broke"`) }
					failing.Cleanup(func() { e.Start = program })
				},
			},
			Unavailable: dockertest.Unavailable(New(Options{})),
			Archive:     dockertest.Images(t, "web:v1"),
			Image:       "web:v1",
			Context:     func(name string) string { return "k3d-" + name },
			Probe:       providertest.AskVersion,
			Break: func(t *testing.T, name string) {
				if files := filesBelow(t, tmp); len(files) > 0 {
					t.Errorf("a cluster that runs has left %q", files)
				}
				if err := e.Kill(containerName(name, "server-0")); err != nil {
					t.Fatal(err)
				}
			},
			HalfMade: func(t *testing.T, spec providers.Spec) { halfMade(t, e, spec) },
			Foreign:  createWithK3d,
			LoseID: func(t *testing.T, name string) {
				if err := docker.Do(t.Context(), []string{"rm", "--force"}, containerName(name, "server-0")); err != nil {
					t.Fatal(err)
				}
			},
			Replace: func(t *testing.T, name string) {
				if err := New(Options{}).Delete(t.Context(), providers.Ref{Name: name}); err != nil {
					t.Fatal(err)
				}
				createWithK3d(t, name)
			},
			// k3d polls the state of a node twice a second.
			Goroutines: []string{"client.NodeWaitForLogMessage", "dockertest.", "net/http.(*conn)", "net/http.(*Server)", "net/http.(*connReader)", "os/exec.(*Cmd)"},
		}
	})
}

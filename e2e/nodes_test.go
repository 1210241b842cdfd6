//go:build e2e

package e2e

import (
	"crypto/tls"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/kind"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// TestAsked shows that a cluster has what its spec asks for: several control planes, metrics of theirs that answer
// from outside of the node, a certificate and a mount; that it survives a stop, and that it can be paused.
func TestAsked(t *testing.T) {
	t.Run("kind", func(t *testing.T) {
		bed := testbed(t)
		requireNoAnonymousVolume(t)
		p := kind.New(kind.Options{NodeImage: bed.kindNode(), Dir: filepath.Join(t.TempDir(), "kind"), LogsDir: t.TempDir()})
		spec := asked(t)
		if err := p.Create(t.Context(), spec, nil); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if left := leaks(t, spec.Name); len(left) > 0 {
				docker(t, append([]string{"rm", "--force", "--volumes"}, names(t, spec.Name)...)...)
				t.Errorf("left behind: %q", left)
			}
		})
		for _, node := range names(t, spec.Name) {
			if strings.HasSuffix(node, "-balancer") {
				continue
			}
			if got := docker(t, "exec", node, "cat", "/etc/ssl/certs/lab-ca.pem", "/asked/file"); got != "certificate\nfile\n" {
				t.Errorf("%s has %q", node, got)
			}
		}
		metrics(t, spec.Name+"-control-plane2")
		state(t, p, spec.Name, providers.StateRunning)

		docker(t, "pause", spec.Name+"-control-plane")
		state(t, p, spec.Name, providers.StateDegraded)
		start(t, p, spec.Name)
		if err := p.Stop(t.Context(), spec.Name); err != nil {
			t.Fatal(err)
		}
		state(t, p, spec.Name, providers.StateStopped)
		start(t, p, spec.Name)
		if err := p.Delete(t.Context(), spec.Name); err != nil {
			t.Error(err)
		}
	})
}

func asked(t *testing.T) providers.Spec {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"ca.pem": "certificate\n", "file": "file\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return providers.Spec{
		Name: randomName(), ControlPlanes: 3, CAFile: filepath.Join(dir, "ca.pem"),
		Mounts: []providers.Mount{{Host: dir, Node: "/asked", ReadOnly: true}}, Wants: providers.Wants{ControlPlaneMetrics: true},
	}
}

// metrics asks for the metrics of a node's control plane at its own address. Those that want to know who asks answer
// that they do not.
func metrics(t *testing.T, node string) {
	t.Helper()
	at := strings.TrimSpace(docker(t, "inspect", "--format={{(index .NetworkSettings.Networks \"kind\").IPAddress}}", node))
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	for url, want := range map[string]int{
		"http://" + at + ":2381/metrics": http.StatusOK, "http://" + at + ":10249/metrics": http.StatusOK,
		"https://" + at + ":10257/metrics": http.StatusForbidden, "https://" + at + ":10259/metrics": http.StatusForbidden,
	} {
		resp, err := client.Get(url)
		if err != nil {
			t.Error(err)
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %s", url, resp.Status)
		}
	}
}

// start starts the cluster, whose API server must then answer.
func start(t *testing.T, p *kind.Provider, name string) {
	t.Helper()
	if err := p.Start(t.Context(), name, nil); err != nil {
		t.Fatal(err)
	}
	state(t, p, name, providers.StateRunning)
	kubeconfig, err := p.Kubeconfig(t.Context(), name)
	if err == nil {
		err = providertest.AskVersion(t.Context(), kubeconfig)
	}
	if err != nil {
		t.Error(err)
	}
}

func state(t *testing.T, p *kind.Provider, name string, want providers.State) {
	t.Helper()
	all, err := p.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Name == name && c.State != want {
			t.Errorf("state is %s (%s), want %s", c.State, c.Reason, want)
		}
	}
}

// names returns the containers of a kind cluster.
func names(t *testing.T, cluster string) []string {
	t.Helper()
	return strings.Fields(docker(t, "ps", "--all", "--filter=label=io.x-k8s.kind.cluster="+cluster, "--format={{.Names}}"))
}

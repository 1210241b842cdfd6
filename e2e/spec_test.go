//go:build e2e && unix

package e2e

import (
	"crypto/tls"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// TestSpec checks that a cluster matches its spec, and that it can be paused, stopped and started.
func TestSpec(t *testing.T) {
	takesLong(t)
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		p, spec := f.provider(t, bed), f.asked(t)
		if err := p.Create(t.Context(), spec, nil); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if left := leaks(t, spec.Name); len(left) > 0 {
				_ = p.Delete(t.Context(), providers.Ref{Name: spec.Name})
				t.Errorf("left behind: %q", left)
			}
		})
		f.check(t, spec)
		state(t, p, spec.Name, providers.StateRunning)

		docker(t, "pause", f.node(spec.Name))
		state(t, p, spec.Name, providers.StateDegraded)
		start(t, p, spec.Name)
		if err := p.(providers.StartStopper).Stop(t.Context(), providers.Ref{Name: spec.Name}); err != nil {
			t.Fatal(err)
		}
		state(t, p, spec.Name, providers.StateStopped)
		start(t, p, spec.Name)
		if err := p.Delete(t.Context(), providers.Ref{Name: spec.Name}); err != nil {
			t.Error(err)
		}
	})
}

// askedFiles returns a spec with a certificate and a mounted directory.
func askedFiles(t *testing.T) providers.Spec {
	t.Helper()
	dir := t.TempDir()
	server := httptest.NewTLSServer(nil) // only its certificate is used
	server.Close()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for name, text := range map[string][]byte{"ca.pem": certificate, "file": []byte("file\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return providers.Spec{
		Name: session.RandomName(), ControlPlanes: 1, CAFile: filepath.Join(dir, "ca.pem"),
		Mounts: []providers.Mount{{Host: dir, Node: "/asked", ReadOnly: true}},
	}
}

// checkFiles checks that a node has the files of askedFiles, the certificate at the path ca.
func checkFiles(t *testing.T, spec providers.Spec, node, ca string) {
	t.Helper()
	want, err := os.ReadFile(spec.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	if got := docker(t, "exec", node, "cat", ca, "/asked/file"); got != string(want)+"file\n" {
		t.Errorf("%s has %q", node, got)
	}
}

// checkMetrics queries the metrics of a node's control plane at the address of the node. Components that require
// authentication must answer with 403. Not every tool can publish the metrics of etcd.
func checkMetrics(t *testing.T, network, node string, etcd bool) {
	t.Helper()
	at := strings.TrimSpace(docker(t, "inspect", "--format={{(index .NetworkSettings.Networks \""+network+"\").IPAddress}}", node))
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	urls := map[string]int{"http://" + at + ":10249/metrics": http.StatusOK,
		"https://" + at + ":10257/metrics": http.StatusForbidden, "https://" + at + ":10259/metrics": http.StatusForbidden}
	if etcd {
		urls["http://"+at+":2381/metrics"] = http.StatusOK
	}
	for url, want := range urls {
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

// start starts a cluster, and checks that its API server answers.
func start(t *testing.T, p providers.Provider, name string) {
	t.Helper()
	if err := p.(providers.StartStopper).Start(t.Context(), providers.Ref{Name: name}, nil); err != nil {
		t.Fatal(err)
	}
	state(t, p, name, providers.StateRunning)
	kubeconfig, err := p.Kubeconfig(t.Context(), providers.Ref{Name: name})
	if err == nil {
		err = providertest.AskVersion(t.Context(), kubeconfig)
	}
	if err != nil {
		t.Error(err)
	}
}

func state(t *testing.T, p providers.Provider, name string, want providers.State) {
	t.Helper()
	all, err := p.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, c := range all {
		if c.Name != name {
			continue
		}
		found = true
		if c.State != want {
			t.Errorf("state is %s (%s), want %s", c.State, c.Reason, want)
		}
	}
	if !found {
		t.Errorf("no cluster %s is listed", name)
	}
}

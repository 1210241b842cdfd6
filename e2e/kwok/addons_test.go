//go:build e2e && unix

package kwok

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/addons/helm"
)

// TestInstaller runs the contract suite of the installer on a real API server.
func TestInstaller(t *testing.T) {
	p := newUser(t)
	name := p.up()
	t.Cleanup(func() { p.Must("down", name) }) // after all subtests
	addontest.Run(t, addontest.Harness{
		Installer: helm.Installer{},
		Large:     300_000,
		Cluster:   addons.Cluster{Kubeconfig: []byte(p.Must("kubeconfig", name))},
		Read: func(t *testing.T, o addons.Object) (text string, there bool) {
			got := p.kubectl(name, "get", o.Kind, o.Name, "--namespace", o.Namespace, "-o", "yaml", "--ignore-not-found")
			return got, strings.TrimSpace(got) != ""
		},
		Make: func(t *testing.T, manifest string) {
			file := filepath.Join(t.TempDir(), "manifest.yaml")
			if err := os.WriteFile(file, []byte(manifest), 0o600); err != nil {
				t.Fatal(err)
			}
			p.kubectl(name, "create", "-f", file)
		},
		Delete: func(t *testing.T, o addons.Object) {
			p.kubectl(name, "delete", o.Kind, o.Name, "--namespace", o.Namespace)
		},
		Disown: func(t *testing.T, addon, namespace string) {
			p.kubectl(name, "label", "secret", "--namespace", namespace, "--selector", "name="+addon, "clusterlab.dev/inputs-")
		},
	})
}

// kubectl runs kubectl on the cluster, and ends the test if it fails.
func (p *user) kubectl(name string, args ...string) string {
	p.T.Helper()
	return p.Must(append([]string{"kubectl", name, "--"}, args...)...)
}

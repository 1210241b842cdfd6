//go:build e2e && unix

package kwok

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestCatalog installs the whole catalog, in two clusters because some addons conflict. The
// second installation changes nothing, and nothing remains after the removal.
func TestCatalog(t *testing.T) {
	t.Parallel()
	for _, addons := range [][]string{
		{"hello", "ingress-nginx", "cert-manager", "kube-prometheus-stack", "metrics-server"},
		{"hello", "traefik", "logging"},
	} {
		t.Run(addons[1], func(t *testing.T) {
			t.Parallel()
			p := newUser(t)
			s := newShelf(t, p)
			p.useCharts(addons)
			name := p.up()
			empty := p.everything(name)
			p.Must("up", name, "--addon", strings.Join(addons, ","), "--timeout", "5m")
			before := p.revisions(name)
			p.Must("up", name)
			if after := p.revisions(name); after != before {
				t.Errorf("the second up changed the releases from %s to %s", before, after)
			}
			for _, addon := range addons {
				if got := p.addons(name)[addon]; got.State != "ready" || !got.Simulated {
					t.Errorf("%s: %+v", addon, got)
				}
			}
			deployed := p.kubectl(name, "get", "secrets", "--all-namespaces", "--selector", "owner=helm,status=deployed", "-o", "name")
			if n := strings.Count(deployed, "\n"); n != len(addons) {
				t.Errorf("%d releases are deployed, want %d:\n%s", n, len(addons), deployed)
			}
			p.Must(append([]string{"addon", "remove", "--name", name}, addons...)...)
			if diff := gocmp.Diff(empty, p.everything(name)); diff != "" {
				t.Errorf("before the installation and after the removal (-before +after):\n%s", diff)
			}
			p.Must("down", name)
			s.clear()
		})
	}
}

// everything returns the names of the objects that addons create and no controller does.
func (p *user) everything(name string) string {
	p.T.Helper()
	api := p.kubectl(name, "get", "apiservice", "v1beta1.metrics.k8s.io", "--ignore-not-found", "--output", "name")
	return api + p.kubectl(name, "get", "--all-namespaces", "--output", "name",
		"namespaces,crd,validatingwebhookconfigurations,mutatingwebhookconfigurations,clusterroles,clusterrolebindings,"+
			"ingressclasses,deployments,daemonsets,statefulsets,jobs,services,configmaps,secrets,serviceaccounts")
}

// standIns has a chart for each addon of the catalog, with the values and kinds of upstream's.
const standIns = "../../addons/testdata/charts"

// forgetCharts removes the files of useCharts.
func (p *user) forgetCharts() {
	p.T.Helper()
	if err := os.RemoveAll(filepath.Join(p.labHome, "config")); err != nil {
		p.T.Error(err)
	}
}

// useCharts writes the files that name the charts of addons: upstream's, if LAB_CHARTS names a
// directory with them, else the stand-ins. hello has its own chart.
func (p *user) useCharts(addons []string) {
	p.T.Helper()
	dir := filepath.Join(p.labHome, "config", "addons")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		p.T.Fatal(err)
	}
	for _, addon := range addons {
		if addon == "hello" {
			continue
		}
		chart, err := filepath.Abs(filepath.Join(cmp.Or(os.Getenv("LAB_CHARTS"), standIns), addon))
		if err == nil {
			_, err = os.Stat(chart)
		}
		if err != nil {
			p.T.Fatal(err)
		}
		text := fmt.Sprintf("name: %s\nchart: {path: %q}\n", addon, chart)
		if err := os.WriteFile(filepath.Join(dir, addon+".yaml"), []byte(text), 0o600); err != nil {
			p.T.Fatal(err)
		}
	}
}

//go:build e2e && unix

package kwok

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCatalog installs the addons of the catalog whose charts are in the directory $LAB_CHARTS (the chart of hello is
// part of lab). It uses two clusters, because some addons conflict. A second `lab up` must change nothing.
func TestCatalog(t *testing.T) {
	t.Parallel()
	for _, round := range [][]string{
		{"hello", "ingress-nginx", "cert-manager", "kube-prometheus-stack", "metrics-server"},
		{"hello", "traefik"},
	} {
		t.Run(round[1], func(t *testing.T) {
			t.Parallel()
			p := newUser(t)
			s := newShelf(t, p)
			addons := p.withCharts(round)
			name := p.up("--addon", strings.Join(addons, ","), "--timeout", "5m")
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
			left := p.kubectl(name, "get", "crd,validatingwebhookconfigurations,mutatingwebhookconfigurations", "-o", "name")
			for object := range strings.Lines(left) {
				if !strings.HasSuffix(strings.TrimSpace(object), ".kwok.x-k8s.io") { // the engine's own
					t.Errorf("after the removal there is %s", object)
				}
			}
			p.Must("down", name)
			s.clear()
		})
	}
}

// withCharts returns the addons whose charts are available, and writes addon files that refer to the charts.
func (p *user) withCharts(addons []string) []string {
	p.T.Helper()
	dir := filepath.Join(p.labHome, "config", "addons")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		p.T.Fatal(err)
	}
	var found []string
	for _, addon := range addons {
		if addon == "hello" {
			found = append(found, addon)
			continue
		}
		chart, err := filepath.Abs(filepath.Join(os.Getenv("LAB_CHARTS"), addon))
		if _, missing := os.Stat(chart); os.Getenv("LAB_CHARTS") == "" || missing != nil || err != nil {
			p.T.Logf("%s is not installed: no chart; set the directory that contains it: export LAB_CHARTS=DIR", addon)
			continue
		}
		text := fmt.Sprintf("name: %s\nchart: {path: %q}\n", addon, chart)
		if err := os.WriteFile(filepath.Join(dir, addon+".yaml"), []byte(text), 0o600); err != nil {
			p.T.Fatal(err)
		}
		found = append(found, addon)
	}
	return found
}

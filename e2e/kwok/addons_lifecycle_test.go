//go:build e2e && unix

package kwok

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// shelf is a registry and a repository with charts, and the addon files of the user.
type shelf struct {
	*addontest.Server
	p   *user
	url string
}

func newShelf(t *testing.T, p *user) shelf {
	t.Helper()
	s := shelf{Server: &addontest.Server{}, p: p}
	server := httptest.NewServer(s.Server)
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

// put publishes a chart, and writes an addon file that refers to it in the registry or in the repository.
func (s shelf) put(name, version string, registry bool, files map[string]string, more ...string) {
	s.p.T.Helper()
	s.Put(name, version, addontest.Chart(name, version, files))
	chart := fmt.Sprintf("chart: {repository: %s/charts, name: %s, version: %s}", s.url, name, version)
	if registry {
		chart = fmt.Sprintf("chart: {oci: oci://%s/charts/%s, version: %s}", strings.TrimPrefix(s.url, "http://"), name, version)
	}
	dir := filepath.Join(s.p.labHome, "config", "addons")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		s.p.T.Fatal(err)
	}
	text := strings.Join(append([]string{"name: " + name, chart}, more...), "\n") + "\n"
	if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
		s.p.T.Fatal(err)
	}
}

// clear removes the user's addon files and the cached charts, which stay when clusters are deleted.
func (s shelf) clear() {
	for _, dir := range []string{"config", "cache"} {
		if err := os.RemoveAll(filepath.Join(s.p.labHome, dir)); err != nil {
			s.p.T.Error(err)
		}
	}
}

// web returns a template of a Deployment. where, if not "", is a label that no node has.
func web(name, where string) string {
	selector := ""
	if where != "" {
		selector = fmt.Sprintf("      nodeSelector: {%s: \"true\"}\n", where)
	}
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  replicas: 2
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
%[2]s      containers: [{name: web, image: "web:v1"}]
`, name, selector)
}

// addonState is an addon in the output of `lab status -o json`.
type addonState struct {
	Name, Version, State, Reason string
	Simulated                    bool
}

func (p *user) addons(name string) map[string]addonState {
	p.T.Helper()
	var status struct{ Addons []addonState }
	if err := json.Unmarshal([]byte(p.Try("status", name, "-o", "json").Stdout), &status); err != nil {
		p.T.Fatal(err)
	}
	found := map[string]addonState{}
	for _, a := range status.Addons {
		found[a.Name] = a
	}
	return found
}

// revisions returns the names of Helm's release records.
func (p *user) revisions(name string) string {
	p.T.Helper()
	return p.kubectl(name, "get", "secrets", "--all-namespaces", "--selector", "owner=helm", "-o", "name")
}

// TestAddons installs, updates, upgrades and removes addons with charts from a registry and a repository.
func TestAddons(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	s := newShelf(t, p)
	s.put("base", "1.0.0", true, map[string]string{
		"crds/d.yaml":      addontest.Definition("base.example.org", "Shop", 300_000, "a"),
		"templates/a.yaml": web("base", ""),
	})
	s.put("middle", "1.0.0", false, map[string]string{"templates/a.yaml": web("middle", "")}, "needs: [base]")
	s.put("top", "1.0.0", true, map[string]string{
		"templates/a.yaml": "apiVersion: base.example.org/v1\nkind: Shop\nmetadata: {name: mine}\na: {{ .Values.a | quote }}\n",
	}, "needs: [middle]", "secrets: [{name: login, fixed: {user: admin}, generated: [password]}]")
	s.SetFaults(addontest.Faults{Status: []int{429, 503}, Token: "x"})
	name := p.up("--addon", "top", "--set", "top.a=first")
	for _, addon := range []string{"base", "middle", "top"} {
		if got := p.addons(name)[addon]; got.State != "ready" || got.Version != "1.0.0" || !got.Simulated {
			t.Errorf("%s: %+v", addon, got)
		}
	}
	shop := func() string {
		return p.kubectl(name, "get", "shop", "mine", "--namespace", "top", "-o", "jsonpath={.a}")
	}
	if got := shop(); got != "first" {
		t.Errorf("the shop has %q", got)
	}

	before, asked := p.revisions(name), s.Requests()
	p.Must("up", name)
	p.Must("up", name, "--addon", "base,middle", "--offline")
	p.Must("addon", "install", "top", "--name", name)
	if after := p.revisions(name); after != before || s.Requests() != asked {
		t.Errorf("existing addons were installed again: %s, before %s (%d requests)", after, before, s.Requests()-asked)
	}
	p.Must("addon", "install", "top", "--name", name, "--set", "top.a=second")
	if got := shop(); got != "second" {
		t.Errorf("the shop has %q", got)
	}

	s.put("middle", "2.0.0", false, map[string]string{"templates/a.yaml": web("renamed", "")})
	if got := p.Must("addon", "upgrade", "middle", "--name", name, "--dry-run"); !strings.Contains(got, "add") || !strings.Contains(got, "remove") {
		t.Errorf("the preview says %q", got)
	}
	p.Must("addon", "upgrade", "middle", "--name", name)
	if got := p.addons(name)["middle"]; got.Version != "2.0.0" || got.State != "ready" {
		t.Errorf("%+v", got)
	}

	p.Must("addon", "remove", "top", "--name", name)
	p.Must("addon", "remove", "middle", "--name", name)
	p.Must("addon", "remove", "base", "--name", name)
	if left := p.kubectl(name, "get", "crd,namespace", "-o", "name"); strings.Contains(left, "example.org") || strings.Contains(left, "/base") || strings.Contains(left, "/top") {
		t.Errorf("after the removal there is %s", left)
	}
	p.Must("down", name)
	s.clear()
}

// TestChartChanged checks that lab rejects a chart whose content changed without a new version.
func TestChartChanged(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	s := newShelf(t, p)
	s.put("shop", "1.0.0", true, map[string]string{"templates/a.yaml": addontest.ConfigMap("settings", "good")})
	name := p.up("--addon", "shop")
	s.put("shop", "1.0.0", true, map[string]string{"templates/a.yaml": addontest.ConfigMap("settings", "evil")})
	archives, err := filepath.Glob(filepath.Join(p.labHome, "cache", "charts", "*.tgz"))
	if err != nil || len(archives) != 1 {
		t.Fatalf("%v, %v", archives, err)
	}
	if err := os.Remove(archives[0]); err != nil {
		t.Fatal(err)
	}
	p.fails(5, []string{"not cached", "--offline"}, "up", name, "--offline")
	p.fails(4, []string{"its content changed", "first downloaded", "hint: "}, "up", name)
	if got := p.kubectl(name, "get", "configmap", "settings", "--namespace", "shop", "-o", "yaml"); !strings.Contains(got, "good") {
		t.Errorf("the changed chart was applied: %s", got)
	}
	p.Must("down", name)
	s.clear()
}

// TestAddonErrors checks the errors of addons that do not work.
func TestAddonErrors(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	s := newShelf(t, p)
	s.put("stuck", "1.0.0", true, map[string]string{"templates/a.yaml": web("stuck", "moon")})
	s.put("hook", "1.0.0", true, map[string]string{"templates/a.yaml": addontest.ConfigMap("settings", "x"),
		"templates/job.yaml": strings.Replace(addontest.Hanging("migrate"), "spec:\n", "spec:\n  activeDeadlineSeconds: 1\n", 1)})
	s.put("broken", "1.0.0", true, map[string]string{"templates/a.yaml": addontest.ConfigMap("not_valid", "x")})
	s.put("fine", "1.0.0", true, map[string]string{"templates/a.yaml": web("fine", "")})
	name := session.RandomName()
	p.fails(7, []string{"stuck is not ready", "0 of 2 ready", "no node fits pod stuck-", "node affinity/selector", "lab up " + name},
		"up", name, "--flavor", "kwok", "--addon", "stuck,fine", "--timeout", "40s")
	if got := p.addons(name); got["stuck"].State != "installing" || got["fine"].State != "ready" {
		t.Errorf("%+v", got)
	}
	p.fails(1, []string{"stuck", "no node fits pod"}, "status", name)
	p.fails(1, []string{"hook job hook/migrate", "active longer than specified deadline", "kubectl describe job migrate"}, "addon", "install", "hook", "--name", name)
	p.fails(1, []string{"broken", "not_valid"}, "addon", "install", "broken", "--name", name)
	if got := p.addons(name); got["hook"].State != "failed" || got["broken"].State != "failed" || got["hook"].Reason == "" {
		t.Errorf("%+v", got)
	}

	p.Must("addon", "remove", "stuck", "hook", "--name", name)
	s.put("broken", "1.0.1", true, map[string]string{"templates/a.yaml": addontest.ConfigMap("valid", "x")})
	p.Must("addon", "upgrade", "broken", "--name", name)
	p.Must("status", name)
	p.Must("down", name)
	s.clear()
}

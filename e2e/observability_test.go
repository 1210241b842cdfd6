//go:build e2e && observability && unix

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// TestObservability installs kube-prometheus-stack on a real cluster. When lab is done, Prometheus must reach all
// targets, the control plane included, and only the alert that always fires may fire. When the scheduler stops
// serving metrics, lab must report it.
func TestObservability(t *testing.T) {
	bed := testbed(t)
	requireNoAnonymousVolume(t)
	p, name := newUser(t, bed), session.RandomName()
	asked := []string{"--addon", "kube-prometheus-stack"}
	if bed.observability != "" {
		p.chart("kube-prometheus-stack")
		asked = []string{"--file", bed.observability}
	}
	t.Cleanup(func() {
		if t.Failed() {
			_ = p.lab(context.Background(), "down", name).Run()
		}
	})
	p.Must(append([]string{"up", name, "--flavor", "kind", "--timeout", "8m"}, asked...)...)

	// No wait: addons that lab reports as ready must work.
	p.checkTargets()
	p.checkAlerts()
	p.Must("status", name)
	p.checkAdmission()
	p.checkDelivery()

	p.bindScheduler(name, "127.0.0.1")
	p.eventuallySays(name, "Prometheus does not reach kube-scheduler at ")
	p.bindScheduler(name, "0.0.0.0")
	p.eventuallySays(name, "")

	p.Must("addon", "remove", "kube-prometheus-stack", "--name", name)
	if left := p.kubectl("get", "namespaces,customresourcedefinitions,validatingwebhookconfigurations", "--output=name"); strings.Contains(left, "monitoring") || strings.Contains(left, "prometheus") {
		t.Errorf("after the removal these are left:\n%s", left)
	}
	p.Must("down", name)
	p.checkNothing(name)
}

// chart adds an addon whose chart is in the directory $LAB_CHARTS.
func (p *user) chart(addon string) {
	p.T.Helper()
	path, err := filepath.Abs(filepath.Join(os.Getenv("LAB_CHARTS"), addon))
	if _, missing := os.Stat(path); os.Getenv("LAB_CHARTS") == "" || missing != nil || err != nil {
		p.T.Fatalf("not run: no chart of %s; set the directory that contains it: export LAB_CHARTS=DIR", addon)
	}
	p.addAddon(addon, fmt.Sprintf("name: %s\nchart: {path: %q}\n", addon, path))
}

// ask sends a request to a Service of the addon through the API server.
func (p *user) ask(service, path string) string {
	p.T.Helper()
	return p.kubectl("get", "--raw", "/api/v1/namespaces/monitoring/services/"+service+"/proxy"+path)
}

func (p *user) prometheus(path string, into any) {
	p.T.Helper()
	if err := json.Unmarshal([]byte(p.ask("kube-prometheus-stack-prometheus:9090", path)), into); err != nil {
		p.T.Fatal(err)
	}
}

// checkTargets checks that Prometheus reaches all targets of the operator, the chart and lab's values.
func (p *user) checkTargets() {
	p.T.Helper()
	var answer struct {
		Data struct {
			ActiveTargets []struct {
				Health, LastError string
				Labels            map[string]string
			}
		}
	}
	p.prometheus("/api/v1/targets?state=active", &answer)
	jobs := map[string]bool{}
	for _, target := range answer.Data.ActiveTargets {
		jobs[target.Labels["job"]] = true
		if target.Health != "up" {
			p.T.Errorf("%s is %s: %s", target.Labels["instance"], target.Health, target.LastError)
		}
	}
	for _, job := range []string{"apiserver", "coredns", "kube-controller-manager", "kube-etcd", "kube-prometheus-stack-alertmanager",
		"kube-prometheus-stack-operator", "kube-prometheus-stack-prometheus", "kube-proxy", "kube-scheduler",
		"kube-state-metrics", "kubelet", "node-exporter"} {
		if !jobs[job] {
			p.T.Errorf("%s is not a target", job)
		}
	}
}

func (p *user) checkAlerts() {
	p.T.Helper()
	var answer struct {
		Data struct {
			Alerts []struct {
				State  string
				Labels map[string]string
			}
		}
	}
	p.prometheus("/api/v1/alerts", &answer)
	var firing []string
	for _, alert := range answer.Data.Alerts {
		if alert.State == "firing" {
			firing = append(firing, alert.Labels["alertname"])
		}
	}
	if !slices.Equal(firing, []string{"Watchdog"}) {
		p.T.Errorf("the firing alerts are %q", firing)
	}
}

// checkDelivery checks that Alertmanager receives the alert that always fires.
func (p *user) checkDelivery() {
	p.T.Helper()
	session.Eventually(p.T, 2*time.Minute, func(context.Context) error {
		if alerts := p.ask("kube-prometheus-stack-alertmanager:9093", "/api/v2/alerts"); !strings.Contains(alerts, "Watchdog") {
			return fmt.Errorf("Alertmanager has the alerts %s", alerts)
		}
		return nil
	})
}

// checkAdmission checks that the operator rejects an invalid rule: only the operator parses PromQL.
func (p *user) checkAdmission() {
	p.T.Helper()
	rule := filepath.Join(p.dir, "rule.yaml")
	if err := os.WriteFile(rule, []byte(`{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, metadata: {name: none},
 spec: {groups: [{name: none, rules: [{record: "none", expr: "((("}]}]}}`), 0o600); err != nil {
		p.T.Fatal(err)
	}
	out, err := p.bed.command(p.T.Context(), p.env, "kubectl", "apply", "--filename="+rule).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "could not parse expression") {
		p.T.Errorf("the admission returned %v\n%s", err, out)
	}
}

// bindScheduler changes the listen address of the scheduler, as in a cluster that was created without metrics.
func (p *user) bindScheduler(name, address string) {
	p.T.Helper()
	docker(p.T, "exec", name+"-control-plane", "sed", "--in-place", "s/--bind-address=.*/--bind-address="+address+"/",
		"/etc/kubernetes/manifests/kube-scheduler.yaml")
}

// eventuallySays runs lab status until it fails with words, or succeeds if words is empty.
func (p *user) eventuallySays(name, words string) {
	p.T.Helper()
	session.Eventually(p.T, 3*time.Minute, func(context.Context) error {
		got := p.Try("status", name)
		if (got.Code == 0) == (words == "") && strings.Contains(got.Stderr, words) {
			return nil
		}
		return fmt.Errorf("lab status: exit code %d, %s", got.Code, got.Stderr)
	})
}

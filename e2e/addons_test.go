//go:build e2e && unix

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// ingressAddon is the test bed's ingress controller as an addon of a user's own: like the usual ones it has an admission
// webhook that comes up late, and a port of the node.
const ingressAddon = `
name: bed-ingress
chart: {path: CHARTS/ingress}
asks: {ports: [80]}
ready:
  - dryRun:
      apiVersion: networking.k8s.io/v1
      kind: Ingress
      metadata: {name: probe, namespace: bed-ingress}
      spec:
        ingressClassName: lab
        rules: [{host: probe.localhost, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: probe, port: {number: 80}}}}]}}]
  - ingress: 80
`

const metricsAddon = `
name: bed-metrics
chart: {path: CHARTS/metrics-server}
ready:
  - api: {path: /apis/metrics.k8s.io/v1beta1/nodes, contains: usage}
`

// TestAddons puts addons onto a real cluster: when lab is done a request from the host goes through the ingress into a
// pod, and there are figures of what nodes use; and when they are removed, nothing of them is left.
func TestAddons(t *testing.T) {
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		oneWillDo(t, f, "kind")
		p, name, port := newUser(t, bed), session.RandomName(), freePort(t)
		p.own("bed-ingress", ingressAddon)
		p.own("bed-metrics", metricsAddon)
		t.Cleanup(func() {
			if t.Failed() {
				_ = p.lab(context.Background(), "down", name).Run()
			}
		})
		p.Must("up", name, "--flavor", f.name, "--port", strconv.Itoa(port)+":80", "--addon", "bed-metrics,bed-ingress")
		before := p.kubectl("get", "namespaces,ingressclasses,validatingwebhookconfigurations,clusterroles", "--output=name")
		p.Must("addon", "install", "hello", "--set", "hello.ingressClass=lab", "--name", name)

		// No wait here: what lab says is ready must be.
		p.kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes")
		session.Eventually(t, 10*time.Second, func(ctx context.Context) error {
			return answers(ctx, port, "hello.localhost", "/path", "hello v1 from hello-")
		})
		if status := p.Must("status", name); strings.Count(status, "ready") != 3+1 { // and a node
			t.Errorf("status is\n%s", status)
		}

		p.Must("addon", "remove", "hello", "--name", name)
		if after := p.kubectl("get", "namespaces,ingressclasses,validatingwebhookconfigurations,clusterroles", "--output=name"); after != before {
			t.Errorf("it has\n%s\nand had\n%s", after, before)
		}
		p.Must("addon", "remove", "bed-ingress", "--name", name)
		p.Must("addon", "remove", "bed-metrics", "--name", name)
		left := p.kubectl("get", "namespaces,ingressclasses,validatingwebhookconfigurations,clusterroles,apiservices", "--output=name")
		for _, gone := range []string{"bed-", "ingressclass.networking.k8s.io/lab", "metrics.k8s.io"} {
			if strings.Contains(left, gone) {
				t.Errorf("%s is left:\n%s", gone, left)
			}
		}
		p.Must("down", name)
		p.checkNothing(name)
	})
}

// own puts an addon of the person's own where lab finds it.
func (p *user) own(name, text string) {
	p.T.Helper()
	charts, err := filepath.Abs(filepath.Join("testbed", "charts"))
	dir := filepath.Join(p.dir, "lab", "config", "addons")
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(strings.ReplaceAll(text, "CHARTS", charts)), 0o600)
	}
	if err != nil {
		p.T.Fatal(err)
	}
}

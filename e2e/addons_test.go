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

// ingressAddon is the test bed's ingress controller as a user's addon. Like common controllers it has an admission
// webhook that becomes ready late, and a port of the node.
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

// TestAddons installs addons on a real cluster. When lab is done, a request from the host reaches a pod through the
// ingress, and metrics of nodes are available. When the addons are removed, nothing of them is left.
func TestAddons(t *testing.T) {
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		oneWillDo(t, f, "kind")
		p, name, port := newUser(t, bed), session.RandomName(), freePort(t)
		p.addAddon("bed-ingress", ingressAddon)
		p.addAddon("bed-metrics", metricsAddon)
		t.Cleanup(func() {
			if t.Failed() {
				_ = p.lab(context.Background(), "down", name).Run()
			}
		})
		p.Must("up", name, "--flavor", f.name, "--port", strconv.Itoa(port)+":80", "--addon", "bed-metrics,bed-ingress")
		before := p.kubectl("get", "namespaces,ingressclasses,validatingwebhookconfigurations,clusterroles", "--output=name")
		p.Must("addon", "install", "hello", "--set", "hello.ingressClass=lab", "--name", name)

		// No wait: addons that lab reports as ready must work.
		p.kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes")
		session.Eventually(t, 10*time.Second, func(ctx context.Context) error {
			return answers(ctx, port, "hello.localhost", "/path", "hello v1 from hello-")
		})
		if status := p.Must("status", name); strings.Count(status, "ready") != 3+1 { // and a node
			t.Errorf("status is\n%s", status)
		}

		p.Must("addon", "remove", "hello", "--name", name)
		if after := p.kubectl("get", "namespaces,ingressclasses,validatingwebhookconfigurations,clusterroles", "--output=name"); after != before {
			t.Errorf("the cluster has\n%s\nwant\n%s", after, before)
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

// own writes an addon file into the user's configuration directory.
func (p *user) addAddon(name, text string) {
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

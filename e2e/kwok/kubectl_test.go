//go:build e2e && unix

package kwok

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestKubectl uses the kubectl inside lab-engine, because PATH has none.
func TestKubectl(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up("--no-kubeconfig")
	if got := read(t, p.kubeconfig); got != userKubeconfig {
		t.Errorf("--no-kubeconfig changed it:\n%s", got)
	}
	kubectl := func(args ...string) []string { return slices.Concat([]string{"kubectl", name, "--"}, args) }
	if got := p.Must(kubectl("get", "nodes", "-o", "name")...); got != "node/"+name+"-control-plane\n" {
		t.Errorf("nodes: %q", got)
	}
	p.Must(kubectl("create", "deployment", "web", "--image=web", "--replicas=2")...)
	p.Must(kubectl("rollout", "status", "deployment/web", "--timeout=60s")...)
	p.fails(1, []string{`deployments.apps "nosuch" not found`}, kubectl("get", "deployment", "nosuch")...)
	p.fails(1, []string{"unknown command"}, kubectl("nosuch")...)
	// The error must come from KWOK, not from a failed connection.
	p.fails(1, []string{"no logs found"}, kubectl("logs", "deployment/web")...)
	p.fails(1, []string{"no exec found"}, kubectl("exec", "deployment/web", "--", "true")...)
	p.fails(2, []string{"must follow --", "lab kubectl " + name + " -- get nodes"}, "kubectl", name, "get", "nodes")
	p.fails(3, []string{"there is no cluster", "name an existing cluster: " + name}, "kubectl", "nosuch", "--", "get", "nodes")
	p.Must("down", name) // also removes kubectl's cache
}

// TestContained makes the API server call a webhook that only simulated pods could answer. The request must succeed
// at once with a warning: a connection that leaves the machine would take longer.
func TestContained(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	manifest := filepath.Join(t.TempDir(), "webhook.yaml")
	if err := os.WriteFile(manifest, []byte(webhook), 0o600); err != nil {
		t.Fatal(err)
	}
	p.Must("kubectl", name, "--", "apply", "-f", manifest)
	const want = "Warning: a webhook was not called: the pods of service default/gate are simulated"
	deadline := time.Now().Add(30 * time.Second)
	for i := 0; ; i++ {
		began := time.Now()
		got := p.Try("kubectl", name, "--", "create", "secret", "generic", fmt.Sprintf("s-%d", i))
		if took := time.Since(began); strings.Contains(got.Stderr, want) && got.Code == 0 {
			// This includes the start of lab and kubectl.
			if took > 5*time.Second {
				t.Errorf("the request took %s", took)
			}
			break
		}
		if time.Now().After(deadline) { // the API server needs a moment to load a new webhook
			t.Fatalf("stderr is %q, want %q", got.Stderr, want)
		}
	}
	p.Must("down", name)
}

const webhook = `
apiVersion: v1
kind: Service
metadata: {name: gate}
spec: {selector: {app: gate}, ports: [{port: 443}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: gate}
webhooks:
- name: gate.example.org
  clientConfig: {service: {namespace: default, name: gate}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [secrets]}]
  failurePolicy: Fail
  sideEffects: None
  admissionReviewVersions: [v1]
  timeoutSeconds: 30
`

//go:build e2e && unix

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
	"github.com/clusterlab-dev/lab/providers/hostport"
)

// TestWorkloads sends a request from the host through an ingress controller to a pod, and reads the CPU usage of the
// pod, on a cluster of each tool alone.
func TestWorkloads(t *testing.T) {
	takesLong(t)
	for _, tool := range tools() {
		t.Run(tool, func(t *testing.T) { testWorkloads(t, tool) })
	}
}

func testWorkloads(t *testing.T, tool string) {
	bed := testbed(t)
	c := bed.cluster(t, tool)
	port := freePort(t)
	flavorOf(t, tool).publish(t, c, port)
	c.must(t, c.create)
	c.load(t, "lab-testbed/ingress:v1", bed.metricsServer, bed.hello)
	c.must(t, []string{"helm", "install", "ingress", "testbed/charts/ingress", "--namespace=ingress", "--create-namespace", "--wait"})
	c.must(t, []string{"helm", "install", "metrics", "testbed/charts/metrics-server", "--namespace=metrics", "--create-namespace"})
	c.kubectl(t, "create", "deployment", "hello", "--image="+bed.hello, "--port=8080")
	c.kubectl(t, "expose", "deployment", "hello", "--port=80", "--target-port=8080")
	c.kubectl(t, "rollout", "status", "deployment/hello", "--timeout=90s")

	c.apply(t, storedPod(bed.hello))
	c.kubectl(t, "wait", "--for=condition=Ready", "pod/stored", "--timeout=90s")

	// Until the webhook is ready, the API server rejects Ingresses, although the controller is ready.
	session.Eventually(t, time.Minute, func(ctx context.Context) error {
		out, err := c.run(ctx, []string{"kubectl", "create", "ingress", "hello", "--class=lab", "--rule=hello.test/*=hello:80"})
		return withOutput(err, out)
	})
	session.Eventually(t, time.Minute, func(ctx context.Context) error {
		return answers(ctx, port, "hello.test", "/path", "hello v1 from hello-")
	})
	session.Eventually(t, 2*time.Minute, func(ctx context.Context) error {
		out, err := c.run(ctx, []string{"kubectl", "top", "pods", "--no-headers"})
		if err == nil && !strings.Contains(out, "hello-") {
			err = fmt.Errorf("no metrics yet")
		}
		return withOutput(err, out)
	})
	c.remove(t)
}

// storedPod returns a pod with a claim for a volume of the default StorageClass.
func storedPod(image string) string {
	return `{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data},
 spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: stored}, spec: {
 containers: [{name: hello, image: ` + image + `, volumeMounts: [{name: data, mountPath: /data}]}],
 volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]}}
`
}

// answers sends a request for a path of a host to a port of this machine, and returns an error unless the response
// begins with want.
func answers(ctx context.Context, port int, host, path, want string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", port, path), nil)
	if err != nil {
		return err
	}
	request.Host = host
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), want)) {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return err
}

func withOutput(err error, out string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", err, out)
}

// freePort returns a port on which no program listened a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	port, err := hostport.Free(t.Context(), hostport.Port{})
	if err != nil {
		t.Fatal(err)
	}
	return port
}

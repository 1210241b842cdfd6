//go:build e2e && unix

package kwok

import (
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestThousandNodes creates and uses a cluster of 1,000 nodes, which no other flavor can run on one machine.
func TestThousandNodes(t *testing.T) {
	p := newUser(t)
	began := time.Now()
	name := p.up("--workers", "1000")
	t.Logf("1,000 workers after %s", time.Since(began).Round(time.Second/10))
	client := p.client(name)
	nodes, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) != 1001 {
		t.Fatalf("%d nodes (%v)", len(nodes.Items), err)
	}
	for _, node := range nodes.Items {
		ready := slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
			return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
		})
		if !ready || len(node.Spec.Taints) > 0 {
			t.Errorf("%s: ready is %t, taints are %v", node.Name, ready, node.Spec.Taints)
		}
	}
	began = time.Now()
	replicas := fewer(5000, 1000)
	deploy(t, client, "web", int32(replicas))
	available(t, client, "web", 8*time.Minute) // one minute on an idle machine
	t.Logf("%d replicas after %s", replicas, time.Since(began).Round(time.Second/10))
	p.Must("down", name)
}

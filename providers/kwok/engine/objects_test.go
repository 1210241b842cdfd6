package main

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const crash = `
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: pod-crash}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector:
    matchLabels: {demo: crash}
    matchExpressions: [{key: .status.phase, operator: In, values: [Running]}]
  delay: {durationMilliseconds: 1000}
  next:
    statusTemplate: |
      phase: Failed
      reason: Simulated
`

func crashing(name string) string {
	return `
apiVersion: v1
kind: Pod
metadata: {name: ` + name + `, labels: {demo: crash}}
spec: {restartPolicy: Never, containers: [{name: c, image: "x:v1"}]}
`
}

// A stage without weight comes before the builtin ones, which would let the pod
// succeed; it is no obstacle to deletion; and without it all is as before.
func checkStages(t *testing.T, c *cluster) {
	// It runs before the stage exists: stages count for pods that exist, too.
	c.apply(`
apiVersion: v1
kind: Pod
metadata: {name: earlier, labels: {demo: crash}}
spec: {containers: [{name: c, image: "x:v1"}]}
`)
	c.inPhase("earlier", corev1.PodRunning)
	c.apply(crash)
	c.inPhase("earlier", corev1.PodFailed)
	c.apply(crashing("later"))
	if pod := c.inPhase("later", corev1.PodFailed); pod.Status.Reason != "Simulated" {
		t.Errorf("reason is %q", pod.Status.Reason)
	}

	// One that always matches must not keep the pod.
	c.apply(`
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: stuck}
spec:
  resourceRef: {apiGroup: v1, kind: Pod}
  selector: {matchLabels: {demo: stuck}}
  next: {statusTemplate: "reason: Stuck"}
---
apiVersion: v1
kind: Pod
metadata: {name: stuck, labels: {demo: stuck}}
spec: {nodeName: demo-worker, containers: [{name: c, image: "x:v1"}]}
`)
	c.says("Stuck", "get", "pod", "stuck", "-o", "jsonpath={.status.reason}")
	if out, err := c.kubectl("delete", "pod", "stuck", "--timeout=20s"); err != nil {
		t.Errorf("delete: %s", out)
	}

	c.kubectl("delete", "stage", "pod-crash", "stuck")
	c.eventually(20*time.Second, func(ctx context.Context) error {
		c.kubectl("delete", "pod", "again", "--ignore-not-found")
		c.apply(crashing("again"))
		c.eventually(10*time.Second, func(ctx context.Context) error {
			out, _ := c.kubectl("get", "pod", "again", "-o", "jsonpath={.status.phase}")
			if out != "Succeeded" && out != "Failed" {
				return missing("is %s", out)
			}
			return nil
		})
		if out, _ := c.kubectl("get", "pod", "again", "-o", "jsonpath={.status.phase}"); out != "Succeeded" {
			return missing("still %s", out)
		}
		return nil
	})
}

// Kinds that do not exist must not keep the others from working.
func checkUnknownStage(t *testing.T, c *cluster) {
	c.apply(`
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: widget}
spec:
  resourceRef: {apiGroup: example.org/v1, kind: Widget}
  selector: {matchLabels: {a: b}}
  next: {statusTemplate: "phase: Done"}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: {name: note}
spec:
  resourceRef: {apiGroup: v1, kind: ConfigMap}
  selector: {matchLabels: {demo: note}}
  next: {patches: [{root: data, template: "seen: \"yes\"", type: merge}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: note, labels: {demo: note}}
`)
	c.says("yes", "get", "configmap", "note", "-o", "jsonpath={.data.seen}")
}

// KWOK runs commands and reads files for these.
func checkAbsentKinds(t *testing.T, c *cluster) {
	out, err := c.kubectl("api-resources", "--api-group=kwok.x-k8s.io", "-o", "name")
	if err != nil {
		t.Fatal(out)
	}
	for line := range strings.Lines(out) {
		switch name, _, _ := strings.Cut(line, "."); name {
		case "stages", "metrics", "resourceusages", "clusterresourceusages":
		default:
			t.Errorf("%s is served", name)
		}
	}
}

func checkTop(t *testing.T, c *cluster) {
	if out, err := c.kubectl("create", "namespace", "top"); err != nil {
		t.Fatal(out)
	}
	c.apply(`
apiVersion: v1
kind: Pod
metadata: {name: noted, namespace: top, annotations: {kwok.x-k8s.io/usage-cpu: 250m, kwok.x-k8s.io/usage-memory: 64Mi}}
spec: {containers: [{name: c, image: "x:v1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: described, namespace: top}
spec: {containers: [{name: c, image: "x:v1"}, {name: d, image: "x:v1"}]}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ResourceUsage
metadata: {name: described, namespace: top}
spec:
  usages:
  - containers: [c]
    usage: {cpu: {value: 100m}, memory: {expression: 'Quantity("10Mi")'}}
  - containers: [d]
    usage: {cpu: {expression: 'pod.metadata.name == "described" ? 0.2 : 0.0'}, memory: {value: 6Mi}}
---
apiVersion: v1
kind: Pod
metadata: {name: plain, namespace: top}
spec: {containers: [{name: c, image: "x:v1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: selected, namespace: top}
spec: {containers: [{name: c, image: "x:v1"}]}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: ClusterResourceUsage
metadata: {name: selected}
spec:
  selector: {matchNamespaces: [top], matchNames: [selected]}
  usages: [{usage: {cpu: {value: "2"}, memory: {value: 1Gi}}}]
`)
	want := [][]string{{"described", "300m", "16Mi"}, {"noted", "250m", "64Mi"}, {"plain", "1m", "1Mi"}, {"selected", "2000m", "1024Mi"}}
	c.eventually(20*time.Second, func(context.Context) error {
		out, _ := c.kubectl("top", "pods", "-n", "top", "--no-headers")
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if len(lines) != len(want) {
			return missing("top pods says %s", out)
		}
		for i, line := range lines {
			if strings.Join(strings.Fields(line), " ") != strings.Join(want[i], " ") {
				return missing("%q is not %v", line, want[i])
			}
		}
		return nil
	})
	out, err := c.kubectl("top", "nodes", "--no-headers")
	if err != nil || strings.Count(out, "\n") != 2 || strings.Contains(out, "unknown") {
		t.Errorf("top nodes says %s", out)
	}
	if out, _ := c.kubectl("top", "pod", "nobody", "-n", "top"); !strings.Contains(out, `pods "nobody" not found`) {
		t.Errorf("top of a missing pod says %s", out)
	}
	// Who may ask is decided as for every other API.
	if out, _ := c.kubectl("top", "pods", "-n", "top", "--as=guest"); !strings.Contains(out, "Forbidden") && !strings.Contains(out, "forbidden") {
		t.Errorf("a stranger sees %s", out)
	}
	checkScaling(t, c)
}

// checkScaling lets an autoscaler act on the usage.
func checkScaling(t *testing.T, c *cluster) {
	d := deployment("scaled", 1)
	d.Spec.Template.Annotations = map[string]string{"kwok.x-k8s.io/usage-cpu": "200m"}
	d.Spec.Template.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m")}
	if _, err := c.client().AppsV1().Deployments("top").Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if out, err := c.kubectl("autoscale", "deployment", "scaled", "-n", "top", "--cpu=50%", "--max=3"); err != nil {
		t.Fatal(out)
	}
	c.eventually(60*time.Second, func(context.Context) error {
		out, _ := c.kubectl("get", "deployment", "scaled", "-n", "top", "-o", "jsonpath={.status.readyReplicas}")
		if out != "3" {
			return missing("%s replicas", out)
		}
		return nil
	})
}

// checkMetric asks for what a Metric describes.
func checkMetric(t *testing.T, c *cluster) {
	c.apply(`
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Metric
metadata: {name: demo}
spec:
  path: /metrics/nodes/{nodeName}/demo
  metrics:
  - {name: demo_value, dimension: node, kind: gauge, help: A number, value: "42"}
`)
	c.eventually(20*time.Second, func(context.Context) error {
		out, _ := c.kubectl("get", "--raw", "/metrics/nodes/demo-worker/demo")
		if !strings.Contains(out, "demo_value 42") {
			return missing("says %s", out)
		}
		return nil
	})
}

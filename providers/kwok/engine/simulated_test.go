package main

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestSimulated is what a cluster does around pods that do not run. One engine serves
// all of it.
func TestSimulated(t *testing.T) {
	t.Parallel()
	c := newCluster(t, 1)
	c.serve()
	for name, check := range map[string]func(*testing.T, *cluster){
		"pods that are not restarted end":         checkPodsEnd,
		"pods fail at their deadline":             checkDeadline,
		"claims are bound":                        checkClaims,
		"a claim of an unknown class waits":       checkUnknownClass,
		"a claim grows and its volume goes":       checkGrowth,
		"stages of users come first":              checkStages,
		"a stage of an unknown kind is ignored":   checkUnknownStage,
		"kinds that touch the machine are absent": checkAbsentKinds,
		"kubectl top answers":                     checkTop,
		"a Metric is served":                      checkMetric,
		"webhooks of pods do not block":           checkPodWebhooks,
		"aggregated APIs of pods do not block":    checkPodAPIs,
		"conversion webhooks fail at once":        checkConversion,
		"endpoints outside are dialled":           checkOutside,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, c.as(t))
		})
	}
}

// apply applies a manifest, and fails the test where that is refused.
func (c *cluster) apply(manifest string) string {
	c.t.Helper()
	out, err := c.kubectl("apply", "-f", manifestFile(c, manifest))
	if err != nil {
		c.t.Fatalf("apply: %s", out)
	}
	return out
}

func manifestFile(c *cluster, manifest string) string {
	c.t.Helper()
	path := c.t.TempDir() + "/manifest.yaml"
	if err := os.WriteFile(path, []byte(manifest), 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// says waits until kubectl prints want and nothing else.
func (c *cluster) says(want string, args ...string) {
	c.t.Helper()
	c.eventually(2*time.Minute, func(context.Context) error {
		out, _ := c.kubectl(args...)
		if strings.TrimSpace(out) != want {
			return missing("kubectl %s says %q, not %q", strings.Join(args, " "), out, want)
		}
		return nil
	})
}

// inPhase waits until the pod of the default namespace is in a phase.
func (c *cluster) inPhase(name string, phase corev1.PodPhase) *corev1.Pod {
	c.t.Helper()
	var pod *corev1.Pod
	c.eventually(20*time.Second, func(ctx context.Context) (err error) {
		pod, err = c.client().CoreV1().Pods("default").Get(ctx, name, metav1.GetOptions{})
		if err == nil && pod.Status.Phase != phase {
			err = missing("%s is %s", name, pod.Status.Phase)
		}
		return err
	})
	return pod
}

func checkPodsEnd(t *testing.T, c *cluster) {
	c.apply(`
apiVersion: v1
kind: Pod
metadata: {name: bare}
spec:
  restartPolicy: Never
  initContainers:
  - {name: prepare, image: "x:v1"}
  - {name: sidecar, image: "x:v1", restartPolicy: Always}
  containers: [{name: one, image: "x:v1"}, {name: two, image: "x:v1"}]
---
apiVersion: v1
kind: Pod
metadata: {name: on-failure}
spec: {restartPolicy: OnFailure, containers: [{name: c, image: "x:v1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: server}
spec: {containers: [{name: c, image: "x:v1"}]}
---
apiVersion: batch/v1
kind: Job
metadata: {name: job}
spec:
  completions: 3
  template: {spec: {restartPolicy: OnFailure, containers: [{name: c, image: "x:v1"}]}}
`)
	pod := c.inPhase("bare", corev1.PodSucceeded)
	for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		end := status.State.Terminated
		if end == nil || end.ExitCode != 0 || end.Reason != "Completed" || end.FinishedAt.Before(&end.StartedAt) {
			t.Errorf("container %s is %+v", status.Name, status.State)
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status != corev1.ConditionFalse {
			t.Errorf("a pod that has ended is ready: %+v", condition)
		}
	}
	c.inPhase("on-failure", corev1.PodSucceeded)
	c.says("3", "get", "job", "job", "-o", "jsonpath={.status.succeeded}")
	c.inPhase("server", corev1.PodRunning) // after others of its age have ended
}

func checkDeadline(t *testing.T, c *cluster) {
	c.apply(`
apiVersion: v1
kind: Pod
metadata: {name: late}
spec:
  activeDeadlineSeconds: 2
  initContainers:
  - {name: prepare, image: "x:v1"}
  - {name: sidecar, image: "x:v1", restartPolicy: Always}
  containers: [{name: c, image: "x:v1"}]
---
apiVersion: v1
kind: Pod
metadata: {name: early}
spec: {activeDeadlineSeconds: 3600, containers: [{name: c, image: "x:v1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: in-time}
spec: {restartPolicy: Never, activeDeadlineSeconds: 5, containers: [{name: c, image: "x:v1"}]}
`)
	pod := c.inPhase("late", corev1.PodFailed)
	if pod.Status.Reason != "DeadlineExceeded" || pod.Status.Message == "" {
		t.Errorf("reason %q, message %q", pod.Status.Reason, pod.Status.Message)
	}
	for _, status := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		end, want := status.State.Terminated, int32(137)
		if status.Name == "prepare" {
			want = 0
		}
		if end == nil || end.ExitCode != want || want > 0 && end.FinishedAt.Sub(pod.Status.StartTime.Time) < 2*time.Second {
			t.Errorf("container %s is %+v", status.Name, status.State)
		}
	}
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady && condition.Status != corev1.ConditionFalse {
			t.Errorf("a pod that has failed is ready: %+v", condition)
		}
	}
	c.inPhase("in-time", corev1.PodSucceeded)
	c.inPhase("early", corev1.PodRunning)
	// The deadline of a running pod may be set, and counts from its start.
	if out, err := c.kubectl("patch", "pod", "early", "-p", `{"spec":{"activeDeadlineSeconds":1}}`); err != nil {
		t.Fatal(out)
	}
	c.inPhase("early", corev1.PodFailed)
}

const claimed = `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "x:v1", volumeMounts: [{name: data, mountPath: /data}]}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: unused}
spec: {accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}}
`

func checkClaims(t *testing.T, c *cluster) {
	c.apply(claimed)
	c.says("2", "get", "statefulset", "db", "-o", "jsonpath={.status.readyReplicas}")
	c.says("Bound Bound", "get", "pvc", "data-db-0", "data-db-1", "-o", "jsonpath={.items[*].status.phase}")
	// No pod uses this one yet.
	c.says("Pending", "get", "pvc", "unused", "-o", "jsonpath={.status.phase}")
	c.apply(`
apiVersion: v1
kind: Pod
metadata: {name: user}
spec:
  volumes: [{name: v, persistentVolumeClaim: {claimName: unused}}]
  containers: [{name: c, image: "x:v1"}]
`)
	c.inPhase("user", corev1.PodRunning)
	volumes, err := c.client().CoreV1().PersistentVolumes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, volume := range volumes.Items {
		if volume.Spec.CSI == nil {
			t.Errorf("volume %s has the source %+v", volume.Name, volume.Spec.PersistentVolumeSource)
		}
	}
}

func checkUnknownClass(t *testing.T, c *cluster) {
	c.apply(`
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: lost}
spec: {storageClassName: nowhere, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
apiVersion: v1
kind: Pod
metadata: {name: lost}
spec:
  volumes: [{name: v, persistentVolumeClaim: {claimName: lost}}]
  containers: [{name: c, image: "x:v1"}]
`)
	c.says("Unschedulable", "get", "pod", "lost", "-o", "jsonpath={.status.conditions[0].reason}")
	c.inPhase("lost", corev1.PodPending)
}

func checkGrowth(t *testing.T, c *cluster) {
	c.apply(`
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: at-once}
provisioner: kwok.clusterlab.dev
allowVolumeExpansion: true
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: growing}
spec: {storageClassName: at-once, accessModes: [ReadWriteMany], resources: {requests: {storage: 1Gi}}}
`)
	c.says("Bound", "get", "pvc", "growing", "-o", "jsonpath={.status.phase}")
	name, _ := c.kubectl("get", "pvc", "growing", "-o", "jsonpath={.spec.volumeName}")
	c.kubectl("patch", "pvc", "growing", "-p", `{"spec":{"resources":{"requests":{"storage":"3Gi"}}}}`)
	c.says("3Gi", "get", "pvc", "growing", "-o", "jsonpath={.status.capacity.storage}")
	c.says("3Gi", "get", "pv", name, "-o", "jsonpath={.spec.capacity.storage}")
	c.kubectl("delete", "pvc", "growing")
	c.says("", "get", "pv", name, "--ignore-not-found")
}

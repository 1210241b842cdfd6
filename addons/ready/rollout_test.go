package ready

import (
	"context"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/clusterlab-dev/lab/addons"
)

func object(generation int64) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: "web", Namespace: "shop", Generation: generation}
}

func selector() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
}

// deployment is one with two replicas, in its second generation.
func deployment(status appsv1.DeploymentStatus) *appsv1.Deployment {
	two := int32(2)
	return &appsv1.Deployment{ObjectMeta: object(2), Spec: appsv1.DeploymentSpec{Replicas: &two, Selector: selector()}, Status: status}
}

func pod(status corev1.PodStatus) *corev1.Pod {
	m := object(1)
	m.Name, m.Labels = "web-1", map[string]string{"app": "web"}
	return &corev1.Pod{ObjectMeta: m, Status: status}
}

func waiting(reason, message string) corev1.PodStatus {
	return corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
		Name: "main", Image: "web:v9", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 3}},
	}}}
}

// neverStarted is a container that the node tries to start repeatedly.
func neverStarted(message string) corev1.PodStatus {
	status := waiting("CrashLoopBackOff", "back-off")
	last := status.ContainerStatuses[0].LastTerminationState.Terminated
	last.ExitCode, last.Reason, last.Message = 128, "StartError", message
	return status
}

func paused() *appsv1.Deployment {
	d := deployment(appsv1.DeploymentStatus{ObservedGeneration: 2})
	d.Spec.Paused = true
	return d
}

// partitioned is a StatefulSet of three ready pods whose update leaves some unchanged.
func partitioned(unchanged, updated int32) *appsv1.StatefulSet {
	three := int32(3)
	return &appsv1.StatefulSet{
		ObjectMeta: object(1),
		Spec: appsv1.StatefulSetSpec{Replicas: &three, Selector: selector(), UpdateStrategy: appsv1.StatefulSetUpdateStrategy{
			RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: &unchanged},
		}},
		Status: appsv1.StatefulSetStatus{ObservedGeneration: 1, ReadyReplicas: 3, UpdatedReplicas: updated},
	}
}

// claiming is a pod that waits for the claim data.
func claiming() *corev1.Pod {
	p := pod(corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "unbound claims"}}})
	p.Spec.Volumes = []corev1.Volume{{VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
	return p
}

func claim(class string) *corev1.PersistentVolumeClaim {
	c := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "data", Namespace: "shop"}}
	if class != "" {
		c.Spec.StorageClassName = &class
	}
	return c
}

// refusal is the event of a controller that cannot create pods.
func refusal(kind, message string) *corev1.Event {
	return &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Name: "web-" + kind, Namespace: "shop"}, Reason: "FailedCreate", Message: message,
		InvolvedObject: corev1.ObjectReference{Kind: kind, Namespace: "shop", Name: "web"},
	}
}

func suspended() *batchv1.Job {
	yes := true
	return &batchv1.Job{ObjectMeta: object(1), Spec: batchv1.JobSpec{Selector: selector(), Suspend: &yes}}
}

// TestRollout: what rollout says about a workload; "" if it is rolled out.
func TestRollout(t *testing.T) {
	t.Parallel()
	unready := appsv1.DeploymentStatus{ObservedGeneration: 2, UpdatedReplicas: 2}
	for what, test := range map[string]struct {
		kind    string
		objects []runtime.Object
		says    string
	}{
		"not there":      {"Deployment", nil, "Deployment shop/web does not exist yet"},
		"old news":       {"Deployment", []runtime.Object{deployment(appsv1.DeploymentStatus{ObservedGeneration: 1, UpdatedReplicas: 2, AvailableReplicas: 2})}, "has not observed its latest change"},
		"old pods only":  {"Deployment", []runtime.Object{deployment(appsv1.DeploymentStatus{ObservedGeneration: 2, UpdatedReplicas: 1, AvailableReplicas: 2})}, "1 of 2 ready"},
		"old pods still": {"Deployment", []runtime.Object{deployment(appsv1.DeploymentStatus{ObservedGeneration: 2, Replicas: 3, UpdatedReplicas: 2, AvailableReplicas: 2})}, "1 of 2 ready"},
		"runs":           {"Deployment", []runtime.Object{deployment(appsv1.DeploymentStatus{ObservedGeneration: 2, UpdatedReplicas: 2, AvailableReplicas: 2})}, ""},
		"no quota": {"Deployment", []runtime.Object{deployment(appsv1.DeploymentStatus{ObservedGeneration: 2, Conditions: []appsv1.DeploymentCondition{
			{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: "exceeded quota"}}})}, "0 of 2 ready: exceeded quota"},
		"image":     {"Deployment", []runtime.Object{deployment(unready), pod(waiting("ImagePullBackOff", "manifest unknown"))}, "cannot pull the image web:v9: manifest unknown"},
		"crash":     {"Deployment", []runtime.Object{deployment(unready), pod(waiting("CrashLoopBackOff", "back-off"))}, "container main of pod web-1 keeps crashing (exit code 3)"},
		"no start":  {"Deployment", []runtime.Object{deployment(unready), pod(neverStarted("mount: not a directory"))}, "container main of pod web-1 cannot be created: mount: not a directory"},
		"no secret": {"Deployment", []runtime.Object{deployment(unready), pod(waiting("CreateContainerConfigError", `secret "x" not found`))}, `cannot be created: secret "x" not found`},
		"no node": {"Deployment", []runtime.Object{deployment(unready), pod(corev1.PodStatus{Conditions: []corev1.PodCondition{
			{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/1 nodes are free. preemption: no."}}})}, "no node fits pod web-1: 0/1 nodes are free"},
		"no class":         {"Deployment", []runtime.Object{deployment(unready), claiming(), claim("none")}, `no node fits pod web-1: the StorageClass "none" of PersistentVolumeClaim data does not exist`},
		"no default class": {"Deployment", []runtime.Object{deployment(unready), claiming(), claim("")}, "PersistentVolumeClaim data names no StorageClass"},
		"probe": {"Deployment", []runtime.Object{deployment(unready), pod(corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{
			{Type: corev1.ContainersReady, Status: corev1.ConditionFalse}}})}, "its readiness probe fails"},
		"set starts":   {"StatefulSet", []runtime.Object{&appsv1.StatefulSet{ObjectMeta: object(1), Spec: appsv1.StatefulSetSpec{Selector: selector()}, Status: appsv1.StatefulSetStatus{ObservedGeneration: 1}}}, "0 of 1 ready"},
		"set runs":     {"StatefulSet", []runtime.Object{&appsv1.StatefulSet{ObjectMeta: object(1), Spec: appsv1.StatefulSetSpec{Selector: selector()}, Status: appsv1.StatefulSetStatus{ObservedGeneration: 1, ReadyReplicas: 1, UpdatedReplicas: 1}}}, ""},
		"daemons":      {"DaemonSet", []runtime.Object{&appsv1.DaemonSet{ObjectMeta: object(1), Spec: appsv1.DaemonSetSpec{Selector: selector()}, Status: appsv1.DaemonSetStatus{ObservedGeneration: 1, DesiredNumberScheduled: 3, UpdatedNumberScheduled: 3, NumberAvailable: 2}}}, "2 of 3 ready"},
		"daemons run":  {"DaemonSet", []runtime.Object{&appsv1.DaemonSet{ObjectMeta: object(1), Spec: appsv1.DaemonSetSpec{Selector: selector()}, Status: appsv1.DaemonSetStatus{ObservedGeneration: 1, DesiredNumberScheduled: 3, UpdatedNumberScheduled: 3, NumberAvailable: 3}}}, ""},
		"refused":      {"DaemonSet", []runtime.Object{&appsv1.DaemonSet{ObjectMeta: object(1), Spec: appsv1.DaemonSetSpec{Selector: selector()}, Status: appsv1.DaemonSetStatus{ObservedGeneration: 1, DesiredNumberScheduled: 1}}, refusal("Job", "another job"), refusal("DaemonSet", "serviceaccount not found")}, "0 of 1 ready: serviceaccount not found"},
		"paused":       {"Deployment", []runtime.Object{paused()}, ""},
		"partition":    {"StatefulSet", []runtime.Object{partitioned(2, 1)}, ""},
		"partitioned":  {"StatefulSet", []runtime.Object{partitioned(2, 0)}, "2 of 3 ready"},
		"on delete":    {"DaemonSet", []runtime.Object{&appsv1.DaemonSet{ObjectMeta: object(1), Spec: appsv1.DaemonSetSpec{Selector: selector(), UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: appsv1.OnDeleteDaemonSetStrategyType}}, Status: appsv1.DaemonSetStatus{ObservedGeneration: 1, DesiredNumberScheduled: 3, NumberAvailable: 3}}}, ""},
		"replicas":     {"ReplicaSet", []runtime.Object{&appsv1.ReplicaSet{ObjectMeta: object(1), Spec: appsv1.ReplicaSetSpec{Selector: selector()}, Status: appsv1.ReplicaSetStatus{ObservedGeneration: 1}}, pod(waiting("ImagePullBackOff", "no such image"))}, "0 of 1 ready: pod web-1 cannot pull the image"},
		"replicas run": {"ReplicaSet", []runtime.Object{&appsv1.ReplicaSet{ObjectMeta: object(1), Status: appsv1.ReplicaSetStatus{ObservedGeneration: 1, ReadyReplicas: 1}}}, ""},
		"controller":   {"ReplicationController", []runtime.Object{&corev1.ReplicationController{ObjectMeta: object(1), Spec: corev1.ReplicationControllerSpec{Selector: selector().MatchLabels}, Status: corev1.ReplicationControllerStatus{ObservedGeneration: 1}}}, "0 of 1 ready"},
		"pod waits":    {"Pod", []runtime.Object{&corev1.Pod{ObjectMeta: object(1), Status: waiting("ImagePullBackOff", "no such image")}}, "is not ready: pod web cannot pull the image"},
		"pod runs":     {"Pod", []runtime.Object{&corev1.Pod{ObjectMeta: object(1), Status: corev1.PodStatus{Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}}}}, ""},
		"pod ran":      {"Pod", []runtime.Object{&corev1.Pod{ObjectMeta: object(1), Status: corev1.PodStatus{Phase: corev1.PodSucceeded}}}, ""},
		"suspended":    {"Job", []runtime.Object{suspended()}, ""},
		"job waits":    {"Job", []runtime.Object{&batchv1.Job{ObjectMeta: object(1), Spec: batchv1.JobSpec{Selector: selector()}}}, "has not completed yet"},
		"job deleted":  {"Job", nil, ""},
		"does not run": {"ConfigMap", nil, ""},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			l := &look{typed: fake.NewClientset(test.objects...)}
			got, err := l.rollout(t.Context(), addons.Object{Kind: test.kind, Namespace: "shop", Name: "web"})
			if err != nil || !strings.Contains(got, test.says) || (got == "") != (test.says == "") {
				t.Errorf("%q, %v; want %q", got, err, test.says)
			}
		})
	}
}

// TestFailedJob: a failed job is an error, because waiting cannot help.
func TestFailedJob(t *testing.T) {
	t.Parallel()
	job := &batchv1.Job{ObjectMeta: object(1), Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{
		{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Message: "it has reached the backoff limit"}}}}
	l := &look{typed: fake.NewClientset(job), in: addons.Installed{Objects: []addons.Object{{Kind: "Job", Namespace: "shop", Name: "web"}}}}
	_, err := l.missing(context.WithoutCancel(t.Context()))
	if err == nil || !strings.Contains(err.Error(), "backoff limit") {
		t.Errorf("%v", err)
	}
}

// TestFailedPod: a pod that failed is an error, because nothing starts it again.
func TestFailedPod(t *testing.T) {
	t.Parallel()
	failed := &corev1.Pod{ObjectMeta: object(1), Status: corev1.PodStatus{Phase: corev1.PodFailed, Reason: "DeadlineExceeded"}}
	_, err := (&look{typed: fake.NewClientset(failed)}).rollout(t.Context(), addons.Object{Kind: "Pod", Namespace: "shop", Name: "web"})
	if err == nil || !strings.Contains(err.Error(), "Pod shop/web failed: DeadlineExceeded") {
		t.Errorf("%v", err)
	}
}

// TestSimulated: on clusters that run no pods, only rollouts are checked.
func TestSimulated(t *testing.T) {
	t.Parallel()
	for _, runsPods := range []bool{true, false} {
		l := &look{typed: fake.NewClientset(), addon: addons.Addon{Ready: []addons.Check{{Rollout: &addons.Object{Kind: "StatefulSet", Name: "db"}}}}}
		l.cluster.Traits.RunsPods = runsPods
		l.in.Namespace = "shop"
		missing, err := l.missing(t.Context())
		if err != nil || (missing != "") != runsPods {
			t.Errorf("runs pods %t: %q, %v", runsPods, missing, err)
		}
		if runsPods && !strings.Contains(missing, "StatefulSet shop/db") {
			t.Errorf("%q", missing)
		}
	}
}

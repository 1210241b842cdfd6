package ready

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterlab-dev/lab/addons"
)

// progress is the state of a rollout.
type progress struct {
	want, have int32
	stale      bool   // its controller has not observed the latest change
	trouble    string // why no pods are created
	selector   *metav1.LabelSelector
}

// rollout says what is missing until a workload is rolled out, or returns "", also for objects that
// are not workloads. It returns an error for a job or a pod that failed permanently.
func (l *look) rollout(ctx context.Context, o addons.Object) (string, error) {
	var p progress
	var err error
	switch o.Kind {
	case "Deployment":
		p, err = l.deployment(ctx, o)
	case "StatefulSet":
		p, err = l.statefulSet(ctx, o)
	case "DaemonSet":
		p, err = l.daemonSet(ctx, o)
	case "ReplicaSet":
		p, err = l.replicaSet(ctx, o)
	case "ReplicationController":
		p, err = l.replicationController(ctx, o)
	case "Job":
		return l.job(ctx, o)
	case "Pod":
		return l.pod(ctx, o)
	default:
		return "", nil
	}
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Sprintf("%s does not exist yet", o), nil
	case err != nil:
		return fmt.Sprintf("%s: %v", o, err), nil
	case p.stale:
		return fmt.Sprintf("the controller of %s has not observed its latest change", o), nil
	case p.have >= p.want:
		return "", nil
	}
	missing := fmt.Sprintf("%s: %d of %d ready", o, p.have, p.want)
	if why := l.why(ctx, o, p); why != "" {
		missing += ": " + why
	}
	return missing, nil
}

func (l *look) deployment(ctx context.Context, o addons.Object) (progress, error) {
	d, err := l.typed.AppsV1().Deployments(o.Namespace).Get(ctx, o.Name, metav1.GetOptions{})
	if err != nil {
		return progress{}, err
	}
	if d.Spec.Paused {
		return progress{}, nil // it creates and replaces no pods until it is resumed
	}
	// Available pods may be old ones, which run until the new ones are available.
	old := max(0, d.Status.Replicas-d.Status.UpdatedReplicas)
	p := progress{
		want: wanted(d.Spec.Replicas), have: max(0, min(d.Status.UpdatedReplicas, d.Status.AvailableReplicas-old)),
		stale: d.Status.ObservedGeneration < d.Generation, selector: d.Spec.Selector,
	}
	for _, c := range d.Status.Conditions {
		if c.Type == appsv1.DeploymentReplicaFailure && c.Status == corev1.ConditionTrue {
			p.trouble = c.Message
		}
	}
	return p, nil
}

func (l *look) statefulSet(ctx context.Context, o addons.Object) (progress, error) {
	s, err := l.typed.AppsV1().StatefulSets(o.Namespace).Get(ctx, o.Name, metav1.GetOptions{})
	if err != nil {
		return progress{}, err
	}
	have := s.Status.ReadyReplicas
	if s.Spec.UpdateStrategy.Type != appsv1.OnDeleteStatefulSetStrategyType {
		have = min(have, s.Status.UpdatedReplicas+partition(s))
	}
	return progress{
		want: wanted(s.Spec.Replicas), have: have,
		stale: s.Status.ObservedGeneration < s.Generation, selector: s.Spec.Selector,
	}, nil
}

// partition returns how many pods of a StatefulSet an update leaves unchanged.
func partition(s *appsv1.StatefulSet) int32 {
	rolling := s.Spec.UpdateStrategy.RollingUpdate
	if rolling == nil || rolling.Partition == nil {
		return 0
	}
	return *rolling.Partition
}

func (l *look) daemonSet(ctx context.Context, o addons.Object) (progress, error) {
	d, err := l.typed.AppsV1().DaemonSets(o.Namespace).Get(ctx, o.Name, metav1.GetOptions{})
	if err != nil {
		return progress{}, err
	}
	have := d.Status.NumberAvailable
	if d.Spec.UpdateStrategy.Type != appsv1.OnDeleteDaemonSetStrategyType {
		have = min(have, d.Status.UpdatedNumberScheduled)
	}
	return progress{
		want: d.Status.DesiredNumberScheduled, have: have,
		stale: d.Status.ObservedGeneration < d.Generation, selector: d.Spec.Selector,
	}, nil
}

func (l *look) replicaSet(ctx context.Context, o addons.Object) (progress, error) {
	r, err := l.typed.AppsV1().ReplicaSets(o.Namespace).Get(ctx, o.Name, metav1.GetOptions{})
	if err != nil {
		return progress{}, err
	}
	p := progress{
		want: wanted(r.Spec.Replicas), have: r.Status.ReadyReplicas,
		stale: r.Status.ObservedGeneration < r.Generation, selector: r.Spec.Selector,
	}
	for _, c := range r.Status.Conditions {
		if c.Type == appsv1.ReplicaSetReplicaFailure && c.Status == corev1.ConditionTrue {
			p.trouble = c.Message
		}
	}
	return p, nil
}

func (l *look) replicationController(ctx context.Context, o addons.Object) (progress, error) {
	r, err := l.typed.CoreV1().ReplicationControllers(o.Namespace).Get(ctx, o.Name, metav1.GetOptions{})
	if err != nil {
		return progress{}, err
	}
	return progress{
		want: wanted(r.Spec.Replicas), have: r.Status.ReadyReplicas,
		stale: r.Status.ObservedGeneration < r.Generation, selector: &metav1.LabelSelector{MatchLabels: r.Spec.Selector},
	}, nil
}

// pod says that a pod of a chart is neither ready nor completed, or returns "".
func (l *look) pod(ctx context.Context, o addons.Object) (string, error) {
	pod, err := l.typed.CoreV1().Pods(o.Namespace).Get(ctx, o.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Sprintf("%s does not exist", o), nil
	case err != nil:
		return fmt.Sprintf("%s: %v", o, err), nil
	case pod.Status.Phase == corev1.PodSucceeded:
		return "", nil
	}
	why := whyPod(ctx, l.typed, pod)
	if pod.Status.Phase == corev1.PodFailed {
		return "", fmt.Errorf("%s failed: %s", o, cmp.Or(why, pod.Status.Message, pod.Status.Reason))
	}
	isReady := slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
	switch {
	case isReady:
		return "", nil
	case why != "":
		return fmt.Sprintf("%s is not ready: %s", o, why), nil
	}
	return fmt.Sprintf("%s is not ready", o), nil
}

// job says that a job has not completed, or returns "". A job that no longer exists was deleted after
// it completed.
func (l *look) job(ctx context.Context, o addons.Object) (string, error) {
	j, err := l.typed.BatchV1().Jobs(o.Namespace).Get(ctx, o.Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "", nil
	}
	if err != nil {
		return fmt.Sprintf("%s: %v", o, err), nil
	}
	if j.Spec.Suspend != nil && *j.Spec.Suspend {
		return "", nil // it creates no pods until it is resumed
	}
	for _, c := range j.Status.Conditions {
		switch {
		case c.Status != corev1.ConditionTrue:
		case c.Type == batchv1.JobComplete:
			return "", nil
		case c.Type == batchv1.JobFailed:
			return "", fmt.Errorf("%s failed: %s", o, c.Message)
		}
	}
	missing := fmt.Sprintf("%s has not completed yet", o)
	if why := l.why(ctx, o, progress{selector: j.Spec.Selector}); why != "" {
		missing += ": " + why
	}
	return missing, nil
}

func wanted(replicas *int32) int32 {
	if replicas == nil {
		return 1
	}
	return *replicas
}

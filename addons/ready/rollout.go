package ready

import (
	"context"
	"fmt"

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
// are not workloads. It returns an error for a job that failed permanently.
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
	case "Job":
		return l.job(ctx, o)
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
	if why := l.why(ctx, o.Namespace, p); why != "" {
		missing += ": " + why
	}
	return missing, nil
}

func (l *look) deployment(ctx context.Context, o addons.Object) (progress, error) {
	d, err := l.typed.AppsV1().Deployments(o.Namespace).Get(ctx, o.Name, metav1.GetOptions{})
	if err != nil {
		return progress{}, err
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
		have = min(have, s.Status.UpdatedReplicas)
	}
	return progress{
		want: wanted(s.Spec.Replicas), have: have,
		stale: s.Status.ObservedGeneration < s.Generation, selector: s.Spec.Selector,
	}, nil
}

func (l *look) daemonSet(ctx context.Context, o addons.Object) (progress, error) {
	d, err := l.typed.AppsV1().DaemonSets(o.Namespace).Get(ctx, o.Name, metav1.GetOptions{})
	if err != nil {
		return progress{}, err
	}
	return progress{
		want: d.Status.DesiredNumberScheduled, have: min(d.Status.UpdatedNumberScheduled, d.Status.NumberAvailable),
		stale: d.Status.ObservedGeneration < d.Generation, selector: d.Spec.Selector,
	}, nil
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
	if why := l.why(ctx, o.Namespace, progress{selector: j.Spec.Selector}); why != "" {
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

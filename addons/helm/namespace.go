package helm

import (
	"context"
	"fmt"

	"helm.sh/helm/v3/pkg/release"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterlab-dev/lab/addons"
)

// removeNamespace deletes the namespace that lab made for an addon, unless something is
// in it.
func (s *session) removeNamespace(ctx context.Context, last *release.Release) ([]addons.Kept, error) {
	namespaces := s.typed.CoreV1().Namespaces()
	n, err := namespaces.Get(ctx, last.Namespace, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if n.Labels[addonLabel] != last.Name {
		return nil, nil
	}
	inside, err := s.inside(ctx, last)
	if err != nil {
		return nil, err
	}
	if inside != "" {
		return []addons.Kept{{Object: addons.Object{Kind: "Namespace", Name: n.Name}, Reason: inside + " is in it"}}, nil
	}
	err = namespaces.Delete(ctx, n.Name, metav1.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, err
	}
	return nil, s.client.poll(func() (bool, error) {
		_, err := namespaces.Get(ctx, n.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		s.say("waiting for the namespace to be gone")
		return false, err
	})
}

// inside names something in the namespace that neither the cluster itself puts there nor
// is on its way out, or is "".
func (s *session) inside(ctx context.Context, last *release.Release) (string, error) {
	core, any := s.typed.CoreV1(), metav1.ListOptions{}
	claims, err := core.PersistentVolumeClaims(last.Namespace).List(ctx, any)
	if err != nil {
		return "", err
	}
	for _, o := range claims.Items {
		if o.DeletionTimestamp == nil {
			return fmt.Sprintf("PersistentVolumeClaim %s", o.Name), nil
		}
	}
	pods, err := core.Pods(last.Namespace).List(ctx, any)
	if err != nil {
		return "", err
	}
	for _, o := range pods.Items {
		if o.DeletionTimestamp == nil && len(o.OwnerReferences) == 0 {
			return fmt.Sprintf("Pod %s", o.Name), nil
		}
	}
	deployments, err := s.typed.AppsV1().Deployments(last.Namespace).List(ctx, any)
	if err != nil {
		return "", err
	}
	for _, o := range deployments.Items {
		if o.DeletionTimestamp == nil {
			return fmt.Sprintf("Deployment %s", o.Name), nil
		}
	}
	return "", nil
}

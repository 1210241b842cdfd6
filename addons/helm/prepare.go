package helm

import (
	"context"
	"crypto/rand"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterlab-dev/lab/addons"
)

// prepare makes the namespace and the Secrets of an addon, where they are missing.
func (s *session) prepare(ctx context.Context, a addons.Addon) error {
	mark := metav1.ObjectMeta{Name: a.In(), Labels: map[string]string{addonLabel: a.Name}}
	_, err := s.typed.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: mark}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("cannot create the namespace %q: %w", a.In(), err)
	}
	for _, secret := range a.Secrets {
		mark.Name = secret.Name
		made := &corev1.Secret{ObjectMeta: mark, StringData: map[string]string{}}
		for key, value := range secret.Fixed {
			made.StringData[key] = value
		}
		for _, key := range secret.Generated {
			made.StringData[key] = rand.Text()
		}
		_, err := s.typed.CoreV1().Secrets(a.In()).Create(ctx, made, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("cannot create the Secret %q: %w", secret.Name, err)
		}
	}
	return nil
}

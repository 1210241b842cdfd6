package ready

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterlab-dev/lab/addons"
)

// Credentials implements [addons.Checker].
func (API) Credentials(ctx context.Context, c addons.Cluster, namespace string, where addons.Credentials) (user, password string, err error) {
	config, err := connect(c.Kubeconfig)
	if err != nil {
		return "", "", err
	}
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return "", "", err
	}
	l := &look{typed: typed}
	return l.credentials(ctx, namespace, where)
}

// credentials returns "" and "" if where names no Secret.
func (l *look) credentials(ctx context.Context, namespace string, where addons.Credentials) (user, password string, err error) {
	if where.Secret == "" {
		return "", "", nil
	}
	secret, err := l.typed.CoreV1().Secrets(namespace).Get(ctx, where.Secret, metav1.GetOptions{})
	if err != nil {
		return "", "", fmt.Errorf("cannot read the Secret with the password: %w", err)
	}
	return string(secret.Data[where.UserKey]), string(secret.Data[where.PasswordKey]), nil
}

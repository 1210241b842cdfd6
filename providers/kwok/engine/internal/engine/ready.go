package engine

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/controlplane"
)

// beat is the interval of readiness checks: about a hundredth of the time of a start.
const beat = 20 * time.Millisecond

// runAPIServer runs the API server. It is ready for the other components when it accepts requests and has
// created its namespaces. /healthz is ok a second later, because it waits for roles and priority classes,
// which the engine does not need.
func (e *engine) runAPIServer(ctx context.Context, ready func()) error {
	client, err := newClient()
	if err != nil {
		return err
	}
	go func() {
		if until(ctx, beat, func(ctx context.Context) bool { return hasNamespaces(ctx, client) }) == nil {
			ready()
		}
	}()
	also, err := e.simulated(client)
	if err != nil {
		return err
	}
	return controlplane.RunAPIServer(ctx, e.api, e.settings, also)
}

// awaitReady waits until the first pod could be created, scheduled and run.
func (e *engine) awaitReady(ctx context.Context, _ func()) error {
	client, err := newClient()
	if err != nil {
		return err
	}
	wanted := e.config.Workers + 1
	for _, check := range []func(context.Context) bool{
		func(ctx context.Context) bool { return answers(ctx, client, "/readyz") },
		func(ctx context.Context) bool { return hasServiceAccount(ctx, client) },
		func(ctx context.Context) bool { return nodesReady(ctx, client, wanted) },
	} {
		if err := until(ctx, beat, check); err != nil {
			return err
		}
	}
	return nil
}

func until(ctx context.Context, every time.Duration, check func(context.Context) bool) error {
	return wait.PollUntilContextCancel(ctx, every, true, func(ctx context.Context) (bool, error) {
		return check(ctx), nil
	})
}

func answers(ctx context.Context, client kubernetes.Interface, path string) bool {
	return client.Discovery().RESTClient().Get().AbsPath(path).Do(ctx).Error() == nil
}

// hasNamespaces reports whether the last of the namespaces that the API server creates exists. KWOK waits
// for a second if the namespace of the leases does not exist.
func hasNamespaces(ctx context.Context, client kubernetes.Interface) bool {
	_, err := client.CoreV1().Namespaces().Get(ctx, corev1.NamespaceNodeLease, metav1.GetOptions{})
	return err == nil
}

func hasServiceAccount(ctx context.Context, client kubernetes.Interface) bool {
	_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
	return err == nil
}

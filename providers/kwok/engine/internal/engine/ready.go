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

// beat is how often to ask whether something is ready: no more often than a
// hundredth of what a start takes.
const beat = 20 * time.Millisecond

// runAPIServer runs the API server. It is ready for the rest of the engine as soon
// as it takes requests and has made its namespaces: a second before /healthz says
// so, which waits for roles and priorities that the engine does not need.
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

// awaitReady waits until a first pod would be taken, scheduled and run.
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

// hasNamespaces reports whether the last of the namespaces is there that the API
// server makes: KWOK waits a whole second where it misses the one for leases.
func hasNamespaces(ctx context.Context, client kubernetes.Interface) bool {
	_, err := client.CoreV1().Namespaces().Get(ctx, corev1.NamespaceNodeLease, metav1.GetOptions{})
	return err == nil
}

func hasServiceAccount(ctx context.Context, client kubernetes.Interface) bool {
	_, err := client.CoreV1().ServiceAccounts(metav1.NamespaceDefault).Get(ctx, "default", metav1.GetOptions{})
	return err == nil
}

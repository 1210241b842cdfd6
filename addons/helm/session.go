package helm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterlab-dev/lab/addons"
)

// requestTime bounds one request. An API server on this machine that takes longer is
// stuck, or waits for a webhook that is.
const requestTime = 35 * time.Second

// session is the work on one namespace of one cluster, until its context ends.
type session struct {
	config *action.Configuration
	client *client
	typed  kubernetes.Interface
	moved  func(string)

	settling time.Duration // how long [session.settled] waits
}

// connect begins a session. Requests of Helm's end with ctx; those that record how far it
// came do not, so that the next run knows.
func connect(ctx context.Context, c addons.Cluster, namespace string, moved func(string)) (*session, error) {
	getter, err := newGetter(c.Kubeconfig, untilDone(ctx))
	if err != nil {
		return nil, err
	}
	typed, err := kubernetes.NewForConfig(getter.rest)
	if err != nil {
		return nil, err
	}
	recording, err := newGetter(c.Kubeconfig, nil)
	if err != nil {
		return nil, err
	}
	unbound, err := kubernetes.NewForConfig(recording.rest)
	if err != nil {
		return nil, err
	}
	base := kube.New(getter)
	base.Namespace = namespace
	s := &session{client: &client{Client: base, ctx: ctx, typed: typed, unbound: unbound, moved: moved}, typed: typed, moved: moved, settling: settling}
	s.config = &action.Configuration{
		RESTClientGetter: getter,
		KubeClient:       s.client,
		Releases:         releasesIn(unbound, namespace),
		Log:              func(string, ...any) {},
		HookOutputFunc:   func(_, _, _ string) io.Writer { return io.Discard },
	}
	return s, nil
}

// releasesIn returns the records of the releases in a namespace; "" is all namespaces.
func releasesIn(client kubernetes.Interface, namespace string) *storage.Storage {
	return storage.Init(records{driver.NewSecrets(client.CoreV1().Secrets(namespace))})
}

// say reports what moved.
func (s *session) say(format string, args ...any) {
	if s.moved != nil {
		s.moved(fmt.Sprintf(format, args...))
	}
}

func isNotFound(err error) bool { return errors.Is(err, driver.ErrReleaseNotFound) }

package helm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage"
	"helm.sh/helm/v3/pkg/storage/driver"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterlab-dev/lab/addons"
)

// requestTime bounds one request. An API server on this machine that takes longer hangs, or waits
// for a webhook that hangs: webhooks have at most 30 seconds.
const requestTime = 35 * time.Second

// session is the work on one namespace of one cluster, until its context ends.
type session struct {
	config *action.Configuration
	client *client
	typed  kubernetes.Interface
	moved  func(string)

	settling time.Duration // how long [namespaces.settled] waits
}

// The subjects of a session.
type (
	releases    struct{ *session } // Helm's releases, with the objects of their charts and hooks
	definitions struct{ *session } // custom resource definitions, which several addons may share
	namespaces  struct{ *session } // namespaces, and whether what is in them keeps them
)

func (s *session) releases() releases       { return releases{s} }
func (s *session) definitions() definitions { return definitions{s} }
func (s *session) namespaces() namespaces   { return namespaces{s} }

// connect starts a session. Requests of Helm end with ctx. Requests that record progress do not, so
// that the next run knows how far this one came.
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

// say reports progress.
func (s *session) say(format string, args ...any) {
	if s.moved != nil {
		s.moved(fmt.Sprintf(format, args...))
	}
}

func isNotFound(err error) bool { return errors.Is(err, driver.ErrReleaseNotFound) }

// getter creates Helm's clients from a kubeconfig in memory. It caches discovery for one session
// only, because definitions are added and deleted.
type getter struct {
	loader clientcmd.ClientConfig
	rest   *rest.Config
	cached discovery.CachedDiscoveryInterface
	mapper meta.RESTMapper
}

// newGetter returns a getter whose requests go through wrap unless that is nil.
func newGetter(kubeconfig []byte, wrap func(http.RoundTripper) http.RoundTripper) (*getter, error) {
	loader, err := clientcmd.NewClientConfigFromBytes(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("cannot read the cluster's kubeconfig: %w", err)
	}
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("cannot read the cluster's kubeconfig: %w", err)
	}
	config.QPS = -1 // the server has its own limits
	config.Timeout = requestTime
	config.WrapTransport = wrap
	// Deprecations concern authors of charts, not users.
	config.WarningHandler = rest.NoWarnings{}
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	cached := memory.NewMemCacheClient(client)
	return &getter{loader, config, cached, restmapper.NewDeferredDiscoveryRESTMapper(cached)}, nil
}

func (g *getter) ToRESTConfig() (*rest.Config, error)           { return rest.CopyConfig(g.rest), nil }
func (g *getter) ToRESTMapper() (meta.RESTMapper, error)        { return g.mapper, nil }
func (g *getter) ToRawKubeConfigLoader() clientcmd.ClientConfig { return g.loader }
func (g *getter) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	return g.cached, nil
}

// untilDone ends requests when ctx ends, whatever their own context is.
func untilDone(ctx context.Context) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper { return &bound{ctx, next} }
}

type bound struct {
	ctx  context.Context
	next http.RoundTripper
}

func (b *bound) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := b.ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	stop := context.AfterFunc(b.ctx, func() { cancel(b.ctx.Err()) })
	end := func() { stop(); cancel(nil) }
	resp, err := b.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		end()
		return nil, err
	}
	resp.Body = &ending{resp.Body, end}
	return resp, nil
}

// ending calls end when the body is closed.
type ending struct {
	io.ReadCloser
	end func()
}

func (e *ending) Close() error {
	defer e.end()
	return e.ReadCloser.Close()
}

// records stores releases in the cluster. It ignores updates of pending releases: before each hook
// Helm writes the whole release, up to a megabyte, to record when the hook started. The final
// update contains the results of the hooks.
type records struct{ driver.Driver }

// Update implements Helm's driver.
func (r records) Update(key string, rel *release.Release) error {
	if rel.Info.Status.IsPending() {
		return nil
	}
	return r.Driver.Update(key, rel)
}

func (s *session) dynamic() (dynamic.Interface, error) {
	config, err := s.config.RESTClientGetter.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	return dynamic.NewForConfig(config)
}

func (s *session) metadata() (metadata.Interface, error) {
	config, err := s.config.RESTClientGetter.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	return metadata.NewForConfig(config)
}

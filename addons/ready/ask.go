package ready

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterlab-dev/lab/addons"
)

// answerTime bounds one request to an ingress or a server.
const answerTime = 5 * time.Second

// dryRun creates an object without storing it, to check whether admission accepts it.
func (l *look) dryRun(ctx context.Context, values addons.Values) string {
	object := &unstructured.Unstructured{Object: values}
	object = object.DeepCopy() // the client writes the answer into it
	kind := object.GroupVersionKind()
	mapping, err := l.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		l.mapper.Reset() // the definition may follow
		return fmt.Sprintf("the API server does not serve %s yet", kind.Kind)
	}
	var client dynamic.ResourceInterface = l.dynamic.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		client = l.dynamic.Resource(mapping.Resource).Namespace(l.in.Namespace)
	}
	_, err = client.Create(ctx, object, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Sprintf("the API server rejects %s: %v", kind.Kind, err)
	}
	return ""
}

// api sends a request to the API server, for an API that the addon serves.
func (l *look) api(ctx context.Context, want addons.APIAnswer) string {
	body, err := l.typed.Discovery().RESTClient().Get().AbsPath(want.Path).DoRaw(ctx)
	if err != nil {
		return fmt.Sprintf("%s: %v", want.Path, err)
	}
	if !strings.Contains(string(body), want.Contains) {
		return fmt.Sprintf("the answer of %s does not contain %s", want.Path, want.Contains)
	}
	return ""
}

// ingress sends a request to the published port on the host. Any answer but a server error counts,
// because no host is routed yet. It uses 127.0.0.1, because localhost may have another address.
func (l *look) ingress(ctx context.Context, port int) string {
	for _, p := range l.cluster.Ports {
		if p.Container != port {
			continue
		}
		address := fmt.Sprintf("127.0.0.1:%d", p.Host)
		if _, err := fetch(ctx, address, "/", nil); err != nil {
			return fmt.Sprintf("no answer on %s: %v", address, err)
		}
	}
	return ""
}

// Ingress implements [addons.Checker]: the cluster has an IngressClass, and the port answers.
func (API) Ingress(ctx context.Context, c addons.Cluster, port int) (bool, error) {
	config, err := connect(c.Kubeconfig)
	if err != nil {
		return false, err
	}
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return false, err
	}
	classes, err := typed.NetworkingV1().IngressClasses().List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil || len(classes.Items) == 0 {
		return false, err
	}
	l := &look{cluster: c}
	return l.ingress(ctx, port) == "", nil
}

// http sends a request to a Service of the addon.
func (l *look) http(ctx context.Context, want addons.HTTPAnswer) string {
	what := fmt.Sprintf("%s%s", want.Service, want.Path)
	missing := ""
	err := l.forward(ctx, l.in.Namespace, want.Endpoint, func(address string) {
		body, err := fetch(ctx, address, want.Path, func(r *http.Request) error {
			user, password, err := l.credentials(ctx, l.in.Namespace, want.Credentials)
			if user != "" {
				r.SetBasicAuth(user, password)
			}
			return err
		})
		switch {
		case err != nil:
			missing = fmt.Sprintf("%s: %v", what, err)
		case !strings.Contains(string(body), want.Contains):
			missing = fmt.Sprintf("the answer of %s does not contain %s", what, want.Contains)
		}
	})
	if err != nil {
		return fmt.Sprintf("%s: %v", what, err)
	}
	return missing
}

// fetch gets a page from a server on this machine, without a proxy. Server errors and missing
// credentials are errors.
func fetch(ctx context.Context, address, path string, prepare func(*http.Request) error) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return nil, err
	}
	r.Host = "lab-asks.localhost"
	if prepare != nil {
		if err := prepare(r); err != nil {
			return nil, err
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusUnauthorized {
		return nil, fmt.Errorf("the answer is %s", resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, 16<<20))
}

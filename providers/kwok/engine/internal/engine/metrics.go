package engine

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"

	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/kwok/pkg/client/clientset/versioned"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/controlplane"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/nodes"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/usage"
)

// simulated returns the handlers for requests that pods or kubelets answer in other clusters.
func (e *engine) simulated(client kubernetes.Interface) (controlplane.Simulated, error) {
	config, err := jsonConfig()
	if err != nil {
		return controlplane.Simulated{}, err
	}
	kwok, err := versioned.NewForConfig(config)
	if err != nil {
		return controlplane.Simulated{}, err
	}
	metrics, err := e.routes.metrics()
	return controlplane.Simulated{Usage: usage.Handler(client, kwok), Metrics: metrics}, err
}

// metrics returns a handler that forwards requests to KWOK's server. The API server itself refuses to
// connect to a node with a loopback address, which all nodes have.
func (r *routes) metrics() (http.Handler, error) {
	raw, err := os.ReadFile("pki/ca.crt")
	if err != nil {
		return nil, err
	}
	ca := x509.NewCertPool()
	if !ca.AppendCertsFromPEM(raw) {
		return nil, errors.New("pki/ca.crt contains no certificate")
	}
	return &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			at, ok := r.kubelets.Load().(string)
			if !ok {
				at = net.JoinHostPort(nodes.IP, "0") // nothing answers there until KWOK has started
			}
			request.SetURL(&url.URL{Scheme: "https", Host: at})
			request.Out.Header.Del("Authorization")
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: ca}},
	}, nil
}

package controlplane

import (
	"fmt"
	"net/http"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	genericapiserver "k8s.io/apiserver/pkg/server"
)

// Simulated answers where pods or kubelets do in other clusters.
type Simulated struct {
	Usage   http.Handler // the group metrics.k8s.io
	Metrics http.Handler // below /metrics/nodes/, where KWOK serves what Metric objects describe
}

// install makes s answer, after the API server has found out that the caller may ask.
// There is no APIService for metrics.k8s.io, so that people may install a metrics
// server with its own. server is the aggregator.
func (s Simulated) install(server *genericapiserver.GenericAPIServer) error {
	core, ok := server.NextDelegate().(*genericapiserver.GenericAPIServer)
	if !ok {
		return fmt.Errorf("no API server is behind the aggregator, but %T", server.NextDelegate())
	}
	core.Handler.NonGoRestfulMux.UnlistedHandlePrefix("/apis/metrics.k8s.io/", s.Usage)
	core.Handler.NonGoRestfulMux.UnlistedHandle("/apis/metrics.k8s.io", s.Usage)
	core.Handler.NonGoRestfulMux.UnlistedHandlePrefix("/metrics/nodes/", s.Metrics)
	resource := func(name, singular, kind string, scope apidiscovery.ResourceScope) apidiscovery.APIResourceDiscovery {
		return apidiscovery.APIResourceDiscovery{
			Resource: name, SingularResource: singular, Scope: scope, Verbs: []string{"get", "list"},
			ResponseKind: &metav1.GroupVersionKind{Group: "metrics.k8s.io", Version: "v1beta1", Kind: kind},
		}
	}
	core.AggregatedDiscoveryGroupManager.AddGroupVersion("metrics.k8s.io", apidiscovery.APIVersionDiscovery{
		Version:   "v1beta1",
		Freshness: apidiscovery.DiscoveryFreshnessCurrent,
		Resources: []apidiscovery.APIResourceDiscovery{
			resource("nodes", "", "NodeMetrics", apidiscovery.ScopeCluster),
			resource("pods", "", "PodMetrics", apidiscovery.ScopeNamespace),
		},
	})
	return nil
}

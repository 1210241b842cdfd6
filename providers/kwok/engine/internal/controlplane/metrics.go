package controlplane

import (
	"fmt"
	"net/http"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	genericapiserver "k8s.io/apiserver/pkg/server"
)

// Simulated contains handlers for requests that pods or kubelets answer in other clusters.
type Simulated struct {
	Usage   http.Handler // the group metrics.k8s.io
	Metrics http.Handler // below /metrics/nodes/: the metrics that Metric objects describe
}

// install adds the handlers behind the authorization of the API server. server is the aggregator. install
// creates no APIService for metrics.k8s.io, so that users may install a metrics server with its own.
func (s Simulated) install(server *genericapiserver.GenericAPIServer) error {
	core, ok := server.NextDelegate().(*genericapiserver.GenericAPIServer)
	if !ok {
		return fmt.Errorf("the delegate of the aggregator is a %T, not an API server", server.NextDelegate())
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

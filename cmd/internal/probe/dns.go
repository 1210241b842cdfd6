package probe

import (
	"context"
	"fmt"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// missingDNS returns what is missing until the cluster's DNS has an address that
// serves. Every flavor's DNS stands behind the Service kube-dns, whatever runs it.
func missingDNS(ctx context.Context, client kubernetes.Interface) string {
	slices, err := client.DiscoveryV1().EndpointSlices(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{
		LabelSelector: discoveryv1.LabelServiceName + "=kube-dns",
	})
	if err != nil {
		return fmt.Sprintf("the API server to answer (%v)", err)
	}
	for _, slice := range slices.Items {
		for _, endpoint := range slice.Endpoints {
			// A nil condition means ready, says the API.
			if r := endpoint.Conditions.Ready; r == nil || *r {
				return ""
			}
		}
	}
	return "DNS to be ready (no pod of the Service kube-dns is)"
}

package probe

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterlab-dev/lab/addons/ready"
)

// serviceDNS is what every flavor's DNS stands behind, whatever runs it.
const serviceDNS = "kube-dns"

// missingDNS returns what is missing until the cluster's DNS has an address that
// serves.
func missingDNS(ctx context.Context, client kubernetes.Interface, since map[string]time.Time) string {
	list, err := client.DiscoveryV1().EndpointSlices(metav1.NamespaceSystem).List(ctx, metav1.ListOptions{
		LabelSelector: discoveryv1.LabelServiceName + "=" + serviceDNS,
	})
	if err != nil {
		return unanswered(err)
	}
	stale := false
	for _, slice := range list.Items {
		for _, endpoint := range slice.Endpoints {
			// A nil condition means ready, says the API.
			if r := endpoint.Conditions.Ready; r != nil && !*r {
				continue
			}
			runs, err := runsSince(ctx, client, endpoint, since)
			if err != nil {
				return unanswered(err)
			}
			if runs {
				return ""
			}
			stale = true
		}
	}
	if stale {
		return "DNS to run again (what is said of its pods is from before the nodes started)"
	}
	return "DNS to be ready (" + whyNoDNS(ctx, client) + ")"
}

// hasDNS tells whether anything is installed that serves the Service kube-dns, by the label
// that every distribution gives it.
func hasDNS(ctx context.Context, client kubernetes.Interface) (bool, error) {
	options := metav1.ListOptions{LabelSelector: "k8s-app=" + serviceDNS, Limit: 1}
	deployments, err := client.AppsV1().Deployments(metav1.NamespaceSystem).List(ctx, options)
	if err != nil || len(deployments.Items) > 0 {
		return true, err
	}
	daemons, err := client.AppsV1().DaemonSets(metav1.NamespaceSystem).List(ctx, options)
	return err != nil || len(daemons.Items) > 0, err
}

// whyNoDNS says why no pod of the Service kube-dns is ready, as far as the pods tell.
func whyNoDNS(ctx context.Context, client kubernetes.Interface) string {
	service, err := client.CoreV1().Services(metav1.NamespaceSystem).Get(ctx, serviceDNS, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return "there is no Service " + serviceDNS + " yet"
	}
	missing := "no pod of " + serviceDNS + " is ready"
	if err != nil || len(service.Spec.Selector) == 0 {
		return missing
	}
	selector := labels.SelectorFromSet(service.Spec.Selector).String()
	if why := ready.WhyNot(ctx, client, metav1.NamespaceSystem, selector); why != "" {
		missing += ": " + why
	}
	return missing
}

// runsSince tells whether the pod behind an address runs since its node does, and is found
// at the address. The containers of a node that was stopped are dead, whatever the API
// server still says of them, and the pod has another address when they run again.
func runsSince(ctx context.Context, client kubernetes.Interface, endpoint discoveryv1.Endpoint, since map[string]time.Time) (bool, error) {
	ref := endpoint.TargetRef
	if ref == nil || len(since) == 0 {
		return true, nil
	}
	pod, err := client.CoreV1().Pods(ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	if err != nil {
		return false, err
	}
	// By the pod's own word: what the slice says of it is older. The control plane takes
	// that word back where it thinks that the node is lost, as it may when it starts itself.
	if !isReady(pod) || !isAt(pod, endpoint.Addresses) {
		return false, nil
	}
	// The API server keeps whole seconds.
	began := since[pod.Spec.NodeName].Truncate(time.Second)
	for _, c := range pod.Status.ContainerStatuses {
		if !c.Ready || c.State.Running == nil || c.State.Running.StartedAt.Time.Before(began) {
			return false, nil
		}
	}
	return true, nil
}

func isReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

func isAt(pod *corev1.Pod, addresses []string) bool {
	return slices.ContainsFunc(pod.Status.PodIPs, func(ip corev1.PodIP) bool { return slices.Contains(addresses, ip.IP) })
}

func unanswered(err error) string { return fmt.Sprintf("the API server to answer (%v)", err) }

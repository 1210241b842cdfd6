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

// serviceDNS is the Service of DNS in every flavor, whatever runs it.
const serviceDNS = "kube-dns"

// missingDNS returns what is missing until DNS answers at an address, or "".
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
			// The API defines a nil condition as ready.
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
		return "DNS to run again (the reports of its pods are older than the start of the nodes)"
	}
	return "DNS to be ready (" + whyNoDNS(ctx, client) + ")"
}

// hasDNS reports whether a workload with the label of kube-dns is installed. Every distribution uses
// that label.
func hasDNS(ctx context.Context, client kubernetes.Interface) (bool, error) {
	options := metav1.ListOptions{LabelSelector: "k8s-app=" + serviceDNS, Limit: 1}
	deployments, err := client.AppsV1().Deployments(metav1.NamespaceSystem).List(ctx, options)
	if err != nil || len(deployments.Items) > 0 {
		return true, err
	}
	daemons, err := client.AppsV1().DaemonSets(metav1.NamespaceSystem).List(ctx, options)
	return err != nil || len(daemons.Items) > 0, err
}

// whyNoDNS returns why no pod of the Service kube-dns is ready, as far as its pods report it, and the pods
// of the network that they need.
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
	if why := ready.WhyNoDaemons(ctx, client, metav1.NamespaceSystem); why != "" {
		missing += "; " + why
	}
	return missing
}

// runsSince reports whether the pod behind an address started after its node did, and has that address.
// The containers of a node that was stopped are dead, even if the API server still reports them as
// running, and the pod has another address when they run again.
func runsSince(ctx context.Context, client kubernetes.Interface, endpoint discoveryv1.Endpoint, since map[string]time.Time) (bool, error) {
	ref := endpoint.TargetRef
	if ref == nil || len(since) == 0 {
		return true, nil
	}
	pod, err := client.CoreV1().Pods(ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	if err != nil {
		return false, err
	}
	// The status of the pod is newer than that of the slice. The control plane resets it if it considers
	// the node lost, which it may do when it starts itself.
	if !isReady(pod) || !isAt(pod, endpoint.Addresses) {
		return false, nil
	}
	// The API server stores whole seconds.
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

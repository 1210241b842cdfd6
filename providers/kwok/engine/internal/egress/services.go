package egress

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Refused is the prefix of the error for an address at which only a pod could answer.
const Refused = "this cluster runs no pods"

// managed is the label value of EndpointSlices with addresses of pods.
const managed = "endpointslice-controller.k8s.io"

// Services finds the endpoints of Services outside the cluster network, which users named in an
// EndpointSlice, in Endpoints, or as an external name. All other addresses are simulated.
type Services struct {
	Client kubernetes.Interface
	// Networks are the networks of pods and Services. The proxy never dials an address in them.
	Networks []netip.Prefix
}

// Simulated reports whether only simulated pods could answer at a port of the Service. It returns an
// error if the Service does not exist.
func (s Services) Simulated(ctx context.Context, namespace, name string, port int32) (bool, error) {
	service, err := s.Client.CoreV1().Services(namespace).Get(ctx, name, metav1.GetOptions{ResourceVersion: "0"})
	if err != nil || service.Spec.Type == corev1.ServiceTypeExternalName {
		return false, err
	}
	_, err = s.endpoints(ctx, service, port, service.Spec.ClusterIP)
	return err != nil && strings.HasPrefix(err.Error(), Refused), nil
}

// Resolve returns the addresses to dial for address, the cluster IP or the external name of a Service
// with a port. It returns an error if there are none. The error starts with Refused if only a pod could
// answer.
func (s Services) Resolve(ctx context.Context, address string) ([]string, error) {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, err
	}
	services, err := s.Client.CoreV1().Services("").List(ctx, cached())
	if err != nil {
		return nil, err
	}
	for i := range services.Items {
		service := &services.Items[i]
		switch {
		case slices.Contains(service.Spec.ClusterIPs, host):
			return s.endpoints(ctx, service, int32(port), address)
		case service.Spec.Type == corev1.ServiceTypeExternalName && sameName(service.Spec.ExternalName, host):
			return []string{address}, nil
		}
	}
	return nil, refuse(address)
}

// cached returns options for a list from the memory of the API server.
func cached() metav1.ListOptions { return metav1.ListOptions{ResourceVersion: "0"} }

// sameName reports whether an external name is host. A name in the domain of the cluster is the name of
// a Service, which does not exist outside, so it matches nothing.
func sameName(external, host string) bool {
	external, host = strings.TrimSuffix(external, "."), strings.TrimSuffix(host, ".")
	return strings.EqualFold(external, host) && !strings.HasSuffix(host, ".svc") && !strings.HasSuffix(host, ".cluster.local")
}

// endpoints returns the endpoints outside the cluster of a port of the service.
func (s Services) endpoints(ctx context.Context, service *corev1.Service, port int32, address string) ([]string, error) {
	i := slices.IndexFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Port == port })
	if i < 0 {
		return nil, fmt.Errorf("service %s/%s has no port %d", service.Namespace, service.Name, port)
	}
	of := cached()
	of.LabelSelector = discoveryv1.LabelServiceName + "=" + service.Name
	list, err := s.Client.DiscoveryV1().EndpointSlices(service.Namespace).List(ctx, of)
	if err != nil {
		return nil, err
	}
	var found []string
	simulated := service.Spec.Selector != nil
	for _, slice := range list.Items {
		outside, pods := s.outside(slice)
		simulated = simulated || pods
		for _, p := range slice.Ports {
			if p.Port == nil || deref(p.Name) != service.Spec.Ports[i].Name {
				continue
			}
			for _, ip := range outside {
				found = append(found, net.JoinHostPort(ip, strconv.Itoa(int(*p.Port))))
			}
		}
	}
	switch {
	case len(found) > 0:
		return found, nil
	case simulated:
		return nil, refuse(address)
	}
	return nil, fmt.Errorf("service %s/%s has no ready endpoints", service.Namespace, service.Name)
}

// outside returns the first address of each ready endpoint outside the cluster, and whether the slice
// also has endpoints that are simulated.
func (s Services) outside(slice discoveryv1.EndpointSlice) (all []string, simulated bool) {
	if slice.AddressType == discoveryv1.AddressTypeFQDN {
		return nil, false
	}
	for _, e := range slice.Endpoints {
		switch {
		case e.TargetRef != nil || slice.Labels[discoveryv1.LabelManagedBy] == managed || !s.dialled(e.Addresses):
			simulated = true
		case e.Conditions.Ready == nil || *e.Conditions.Ready:
			all = append(all, e.Addresses[0])
		}
	}
	return all, simulated
}

// dialled reports whether the proxy may dial the first of the addresses.
func (s Services) dialled(addresses []string) bool {
	if len(addresses) == 0 {
		return false
	}
	ip, err := netip.ParseAddr(addresses[0])
	return err == nil && ip.IsGlobalUnicast() &&
		!slices.ContainsFunc(s.Networks, func(network netip.Prefix) bool { return network.Contains(ip) })
}

// refuse returns the error for an address at which only a pod could answer.
func refuse(address string) error {
	return fmt.Errorf(Refused+", so nothing can answer at %s", address)
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

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

// Refused begins every refusal of an address that only a pod could answer at.
const Refused = "this cluster runs no pods"

// managed is the label value of slices whose addresses are those of pods.
const managed = "endpointslice-controller.k8s.io"

// Services finds what stands outside the cluster's network and is a Service's
// endpoint because a user named it in an EndpointSlice, in Endpoints, or as an
// external name. Everything else in the cluster's network is simulated.
type Services struct {
	Client kubernetes.Interface
	// Networks are those of pods and Services. An address in one of them is never
	// dialled, whatever says so.
	Networks []netip.Prefix
}

// Simulated reports whether only pods, which do not run, could answer at a port of the
// Service. A Service that does not exist is an error.
func (s Services) Simulated(ctx context.Context, namespace, name string, port int32) (bool, error) {
	service, err := s.Client.CoreV1().Services(namespace).Get(ctx, name, metav1.GetOptions{ResourceVersion: "0"})
	if err != nil || service.Spec.Type == corev1.ServiceTypeExternalName {
		return false, err
	}
	_, err = s.endpoints(ctx, service, port, service.Spec.ClusterIP)
	return err != nil && strings.HasPrefix(err.Error(), Refused), nil
}

// Resolve returns the addresses to dial in place of address, which is a Service's
// cluster address or external name. It returns an error where there
// is none; the error begins with Refused where only a pod could be there.
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

// cached asks for what the API server has in memory.
func cached() metav1.ListOptions { return metav1.ListOptions{ResourceVersion: "0"} }

// sameName compares names of hosts. Names of the cluster's own domain stand for
// Services, and no server outside knows them.
func sameName(external, host string) bool {
	external, host = strings.TrimSuffix(external, "."), strings.TrimSuffix(host, ".")
	return strings.EqualFold(external, host) && !strings.HasSuffix(host, ".svc") && !strings.HasSuffix(host, ".cluster.local")
}

// endpoints returns the endpoints of a port of the service that are outside the
// cluster.
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
	return nil, fmt.Errorf("service %s/%s has no endpoints that are ready", service.Namespace, service.Name)
}

// outside returns the first addresses of the slice's endpoints that are ready and are
// not of the cluster, because a person put them there; and whether there are others,
// which are simulated.
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

// dialled reports whether the first of the addresses may be dialled at all.
func (s Services) dialled(addresses []string) bool {
	if len(addresses) == 0 {
		return false
	}
	ip, err := netip.ParseAddr(addresses[0])
	return err == nil && ip.IsGlobalUnicast() &&
		!slices.ContainsFunc(s.Networks, func(network netip.Prefix) bool { return network.Contains(ip) })
}

func refuse(address string) error {
	return fmt.Errorf(Refused+", so nothing can answer at %s", address)
}

func deref(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

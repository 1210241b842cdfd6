package egress_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/egress"
)

const clusterIP = "10.96.0.7"

func service(selector map[string]string, ports ...corev1.ServicePort) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "s", Namespace: "default"},
		Spec:       corev1.ServiceSpec{ClusterIP: clusterIP, ClusterIPs: []string{clusterIP}, Selector: selector, Ports: ports},
	}
}

// slice is of the Service above.
func slice(port int32, portName string, endpoints ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
	return &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: "s-1", Namespace: "default", Labels: map[string]string{discoveryv1.LabelServiceName: "s"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Port: &port, Name: &portName}},
		Endpoints:   endpoints,
	}
}

func at(ip string) discoveryv1.Endpoint { return discoveryv1.Endpoint{Addresses: []string{ip}} }

func ofPod(ip string) discoveryv1.Endpoint {
	e := at(ip)
	e.TargetRef = &corev1.ObjectReference{Kind: "Pod", Name: "p"}
	return e
}

func unready(ip string) discoveryv1.Endpoint {
	e, no := at(ip), false
	e.Conditions.Ready = &no
	return e
}

func byController(s *discoveryv1.EndpointSlice) *discoveryv1.EndpointSlice {
	s.Labels[discoveryv1.LabelManagedBy] = "endpointslice-controller.k8s.io"
	return s
}

func TestDialsOnlyEndpointsOfUsers(t *testing.T) {
	t.Parallel()
	https := corev1.ServicePort{Port: 443}
	selector := map[string]string{"app": "web"}
	elsewhere := slice(9443, "", at("192.0.2.9"))
	elsewhere.Labels[discoveryv1.LabelServiceName] = "other"
	tests := map[string]struct {
		objects []runtime.Object
		address string
		want    []string
		fails   string
	}{
		"written by hand":       {[]runtime.Object{service(nil, https), slice(9443, "", at("192.0.2.9"), at("192.0.2.10"))}, clusterIP + ":443", []string{"192.0.2.9:9443", "192.0.2.10:9443"}, ""},
		"beside a selector":     {[]runtime.Object{service(selector, https), slice(9443, "", at("192.0.2.9"))}, clusterIP + ":443", []string{"192.0.2.9:9443"}, ""},
		"port of another name":  {[]runtime.Object{service(nil, https), slice(9443, "web", at("192.0.2.9"))}, clusterIP + ":443", nil, "service default/s has no ready endpoints"},
		"unknown port":          {[]runtime.Object{service(nil, https), slice(9443, "", at("192.0.2.9"))}, clusterIP + ":80", nil, "service default/s has no port 80"},
		"not ready":             {[]runtime.Object{service(nil, https), slice(9443, "", unready("192.0.2.9"))}, clusterIP + ":443", nil, "service default/s has no ready endpoints"},
		"of a pod":              {[]runtime.Object{service(nil, https), slice(9443, "", ofPod("192.0.2.9"))}, clusterIP + ":443", nil, egress.Refused},
		"of the controller":     {[]runtime.Object{service(selector, https), byController(slice(9443, "", at("192.0.2.9")))}, clusterIP + ":443", nil, egress.Refused},
		"in the pods' network":  {[]runtime.Object{service(nil, https), slice(9443, "", at("10.244.0.9"))}, clusterIP + ":443", nil, egress.Refused},
		"a Service's address":   {[]runtime.Object{service(nil, https), slice(9443, "", at("10.96.3.4"))}, clusterIP + ":443", nil, egress.Refused},
		"the loopback":          {[]runtime.Object{service(nil, https), slice(9443, "", at("127.0.0.1"))}, clusterIP + ":443", nil, egress.Refused},
		"the link":              {[]runtime.Object{service(nil, https), slice(9443, "", at("169.254.169.254"))}, clusterIP + ":443", nil, egress.Refused},
		"of another Service":    {[]runtime.Object{service(nil, https), elsewhere}, clusterIP + ":443", nil, "service default/s has no ready endpoints"},
		"pods to come":          {[]runtime.Object{service(selector, https)}, clusterIP + ":443", nil, egress.Refused},
		"nobody's address":      {[]runtime.Object{service(nil, https)}, "10.96.9.9:443", nil, egress.Refused},
		"an endpoint, directly": {[]runtime.Object{service(nil, https), slice(9443, "", at("192.0.2.9"))}, "192.0.2.9:9443", nil, egress.Refused},
		"an unknown name":       {nil, "stranger.example.org:443", nil, egress.Refused},
		"an external name":      {[]runtime.Object{external("hooks.example.org")}, "hooks.example.org:443", []string{"hooks.example.org:443"}, ""},
		"a name of the cluster": {[]runtime.Object{external("web.default.svc.cluster.local")}, "web.default.svc.cluster.local:443", nil, egress.Refused},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			services := egress.Services{
				Client:   fake.NewClientset(test.objects...),
				Networks: []netip.Prefix{netip.MustParsePrefix("10.244.0.0/16"), netip.MustParsePrefix("10.96.0.0/16")},
			}
			got, err := services.Resolve(t.Context(), test.address)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("addresses (-want +got)\n%s", diff)
			}
			if (err != nil) != (test.fails != "") || err != nil && !strings.HasPrefix(err.Error(), test.fails) {
				t.Errorf("error is %v, not %q", err, test.fails)
			}
		})
	}
}

func external(name string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "e", Namespace: "default"},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: name},
	}
}

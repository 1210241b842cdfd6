package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	listers "k8s.io/client-go/listers/networking/v1"
	"k8s.io/client-go/tools/cache"
)

func newIngress(class, host, path string, kind networkingv1.PathType, service string, port int32) *networkingv1.Ingress {
	backend := networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: service,
		Port: networkingv1.ServiceBackendPort{Number: port}}}
	return &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{Name: class + host + service, Namespace: "default"},
		Spec: networkingv1.IngressSpec{IngressClassName: &class, Rules: []networkingv1.IngressRule{{Host: host,
			IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{Path: path, PathType: &kind, Backend: backend}}}}}}}}
}

func TestServeHTTP(t *testing.T) {
	t.Parallel()
	pod := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(r.Host + r.URL.Path)) }))
	defer pod.Close()
	address, _ := url.Parse(pod.URL)
	port, _ := strconv.Atoi(address.Port())

	ingresses, services := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{}), cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	services.Add(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "default"},
		Spec: corev1.ServiceSpec{ClusterIP: "127.0.0.1", Ports: []corev1.ServicePort{{Port: int32(port)}}}})
	ingresses.Add(newIngress("lab", "shop.test", "/api", networkingv1.PathTypePrefix, "shop", int32(port)))
	ingresses.Add(newIngress("lab", "shop.test", "/gone", networkingv1.PathTypeExact, "gone", 80))
	ingresses.Add(newIngress("other", "other.test", "/", networkingv1.PathTypePrefix, "shop", int32(port)))
	c := &controller{class: "lab", ingresses: listers.NewIngressLister(ingresses), services: corelisters.NewServiceLister(services)}

	for _, tt := range []struct {
		host, path string
		code       int
		body       string
	}{
		{"shop.test", "/api/v1", 200, "shop.test/api/v1"},
		{"shop.test:8080", "/api", 200, "shop.test:8080/api"},
		{"shop.test", "/apis", 404, ""},
		{"shop.test", "/gone", 502, ""},
		{"other.test", "/", 404, ""},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", tt.path, nil)
		r.Host = tt.host
		c.ServeHTTP(w, r)
		if w.Code != tt.code || tt.body != "" && w.Body.String() != tt.body {
			t.Errorf("%s%s: %d %s, want %d %s", tt.host, tt.path, w.Code, w.Body, tt.code, tt.body)
		}
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	c := &controller{class: "lab"}
	bad := newIngress("lab", "shop.test", "/", networkingv1.PathTypePrefix, "shop", 80)
	bad.Spec.Rules[0].HTTP.Paths[0].Backend.Service = nil
	if c.refusal(bad) == "" {
		t.Error("an Ingress without a service is accepted")
	}
	if reason := c.refusal(newIngress("lab", "shop.test", "/", networkingv1.PathTypePrefix, "shop", 80)); reason != "" {
		t.Error("a good Ingress is refused:", reason)
	}
	other := "other"
	bad.Spec.IngressClassName = &other
	if reason := c.refusal(bad); reason != "" {
		t.Error("an Ingress of another class is refused:", reason)
	}
}

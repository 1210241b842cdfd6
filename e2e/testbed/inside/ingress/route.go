package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	listers "k8s.io/client-go/listers/networking/v1"
	"k8s.io/client-go/tools/cache"
)

// controller serves the Ingresses of one class. It computes routes at each request, because a test has few.
type controller struct {
	class, address string
	client         kubernetes.Interface
	ingresses      listers.IngressLister
	services       corelisters.ServiceLister
}

// ServeHTTP forwards the request to the Service of the Ingress for its host and path, or answers 404.
func (c *controller) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	target, err := c.target(host, r.URL.Path)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if target == nil {
		http.Error(w, fmt.Sprintf("no ingress of class %s for host %s and path %s", c.class, host, r.URL.Path), http.StatusNotFound)
		return
	}
	proxy := httputil.ReverseProxy{Rewrite: func(out *httputil.ProxyRequest) {
		out.SetURL(target)
		out.SetXForwarded()
		out.Out.Host = r.Host
	}}
	proxy.ServeHTTP(w, r)
}

// target returns the backend with the longest matching path, or nil.
func (c *controller) target(host, path string) (*url.URL, error) {
	all, err := c.ingresses.List(labels.Everything())
	if err != nil {
		return nil, err
	}
	var best *networkingv1.IngressServiceBackend
	var namespace string
	longest := -1
	for _, ingress := range all {
		if !c.serves(ingress) {
			continue
		}
		for _, rule := range ingress.Spec.Rules {
			if rule.HTTP == nil || rule.Host != "" && rule.Host != host {
				continue
			}
			for _, p := range rule.HTTP.Paths {
				if matches(p, path) && len(p.Path) > longest && p.Backend.Service != nil {
					best, namespace, longest = p.Backend.Service, ingress.Namespace, len(p.Path)
				}
			}
		}
	}
	if best == nil {
		return nil, nil
	}
	return c.backendURL(namespace, best)
}

// serves reports whether an Ingress has the controller's class.
func (c *controller) serves(ingress *networkingv1.Ingress) bool {
	return ingress.Spec.IngressClassName != nil && *ingress.Spec.IngressClassName == c.class
}

// matches reports whether a rule's path matches a request: by whole elements, or exactly.
func matches(rule networkingv1.HTTPIngressPath, path string) bool {
	if rule.PathType != nil && *rule.PathType == networkingv1.PathTypeExact {
		return path == rule.Path
	}
	prefix := strings.TrimSuffix(rule.Path, "/")
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

// backendURL returns the address of the Service in the cluster.
func (c *controller) backendURL(namespace string, backend *networkingv1.IngressServiceBackend) (*url.URL, error) {
	service, err := c.services.Services(namespace).Get(backend.Name)
	if err != nil {
		return nil, err
	}
	for _, port := range service.Spec.Ports {
		if port.Port == backend.Port.Number || backend.Port.Name != "" && port.Name == backend.Port.Name {
			return &url.URL{Scheme: "http", Host: net.JoinHostPort(service.Spec.ClusterIP, strconv.Itoa(int(port.Port)))}, nil
		}
	}
	return nil, fmt.Errorf("service %s/%s does not have the port", namespace, backend.Name)
}

// publish writes the address of each Ingress to its status.
func (c *controller) publish(ctx context.Context, informer cache.SharedIndexInformer) error {
	patch := fmt.Appendf(nil, `{"status":{"loadBalancer":{"ingress":[{"hostname":%q}]}}}`, c.address)
	write := func(object any) {
		ingress, ok := object.(*networkingv1.Ingress)
		if !ok || !c.serves(ingress) || len(ingress.Status.LoadBalancer.Ingress) > 0 {
			return
		}
		_, err := c.client.NetworkingV1().Ingresses(ingress.Namespace).Patch(ctx, ingress.Name, types.MergePatchType, patch,
			metav1.PatchOptions{}, "status")
		if err != nil {
			fmt.Fprintln(os.Stderr, "ingress:", err)
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: write, UpdateFunc: func(_, now any) { write(now) },
	})
	return err
}

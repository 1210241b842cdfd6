package simulated

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/reconcile"
)

// namespaces deletes objects that only a pod could convert from namespaces that are being deleted. The
// namespace controller requests the preferred version of each kind. If objects are stored in another
// version and the conversion webhook does not answer, the deletion would never finish.
type namespaces struct {
	dynamic  dynamic.Interface
	services Services
	lister   corelisters.NamespaceLister
}

// RunNamespaces runs until ctx is cancelled.
func RunNamespaces(ctx context.Context, dynamic dynamic.Interface, client kubernetes.Interface, services Services) error {
	factory := informers.NewSharedInformerFactory(client, 0)
	informer := factory.Core().V1().Namespaces()
	n := &namespaces{dynamic: dynamic, services: services, lister: informer.Lister()}
	queue := reconcile.NewQueue[string]()
	enqueue := func(object any) {
		if namespace := object.(*corev1.Namespace); namespace.DeletionTimestamp != nil {
			queue.Add(namespace.Name)
		}
	}
	if _, err := informer.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, now any) { enqueue(now) },
	}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	reconcile.Run(ctx, queue, n.empty)
	return nil
}

// empty deletes the objects of kinds with a simulated conversion webhook, in their storage version.
func (n *namespaces) empty(ctx context.Context, name string) error {
	if _, err := n.lister.Get(name); err != nil {
		return nil // it was deleted
	}
	kinds := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	all, err := n.dynamic.Resource(kinds).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return err
	}
	var failed []error
	for i := range all.Items {
		stored, err := n.unconvertible(ctx, &all.Items[i])
		if err == nil && stored.Resource != "" {
			err = n.dynamic.Resource(stored).Namespace(name).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{})
		}
		if err != nil && !apierrors.IsNotFound(err) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// unconvertible returns the storage version of a namespaced kind if only a pod could convert its objects,
// else the zero value.
func (n *namespaces) unconvertible(ctx context.Context, crd *unstructured.Unstructured) (schema.GroupVersionResource, error) {
	none := schema.GroupVersionResource{}
	service, ok, _ := unstructured.NestedMap(crd.Object, "spec", "conversion", "webhook", "clientConfig", "service")
	scope, _, _ := unstructured.NestedString(crd.Object, "spec", "scope")
	if !ok || service == nil || scope != "Namespaced" {
		return none, nil
	}
	at, port := serviceOf(service)
	if simulated, err := n.services.Simulated(ctx, at.Namespace, at.Name, port); err != nil || !simulated {
		return none, err
	}
	group, _, _ := unstructured.NestedString(crd.Object, "spec", "group")
	plural, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "plural")
	versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
	for _, version := range versions {
		if v, ok := version.(map[string]any); ok && v["storage"] == true && v["served"] == true {
			name, _ := v["name"].(string)
			return schema.GroupVersionResource{Group: group, Version: name, Resource: plural}, nil
		}
	}
	return none, nil
}

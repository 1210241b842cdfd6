// Package simulated handles objects that need the answer of a pod, so that they do not block others:
// simulated pods cannot answer.
package simulated

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/reconcile"
)

const (
	// serviceNote is the annotation with the former Service of an API: NAMESPACE/NAME.
	serviceNote = "kwok.clusterlab.dev/service"
	// again is the delay before an API that does not answer is checked again, because its Service may not
	// exist yet.
	again = 5 * time.Second
)

// Services reports for which Services only pods could answer.
type Services interface {
	Simulated(ctx context.Context, namespace, name string, port int32) (bool, error)
}

// apiServices makes aggregated APIs local if the pods of their Services are simulated. An API that does
// not answer breaks discovery for all clients, and the deletion of namespaces.
type apiServices struct {
	dynamic  dynamic.Interface
	client   kubernetes.Interface
	services Services
	store    cache.Store
	queue    reconcile.Queue[string]
}

func apiServiceKind() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}
}

// RunAPIServices runs until ctx is cancelled.
func RunAPIServices(ctx context.Context, dynamic dynamic.Interface, client kubernetes.Interface, services Services) error {
	factory := dynamicinformer.NewDynamicSharedInformerFactory(dynamic, 0)
	informer := factory.ForResource(apiServiceKind()).Informer()
	a := &apiServices{
		dynamic: dynamic, client: client, services: services, store: informer.GetStore(),
		queue: reconcile.NewQueue[string](),
	}
	enqueue := func(object any) { a.queue.Add(object.(*unstructured.Unstructured).GetName()) }
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    enqueue,
		UpdateFunc: func(_, now any) { enqueue(now) },
	}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	reconcile.Run(ctx, a.queue, a.look)
	return nil
}

// look makes one API local if its pods are simulated.
func (a *apiServices) look(ctx context.Context, name string) error {
	object, exists, err := a.store.GetByKey(name)
	if err != nil || !exists {
		return err
	}
	api := object.(*unstructured.Unstructured)
	service, ok, _ := unstructured.NestedMap(api.Object, "spec", "service")
	if !ok || service == nil || available(api) {
		return nil
	}
	at, port := serviceOf(service)
	simulated, err := a.services.Simulated(ctx, at.Namespace, at.Name, port)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	if !simulated {
		a.queue.AddAfter(name, again)
		return nil
	}
	return a.makeLocal(ctx, api, at)
}

// serviceOf reads a reference to a Service, in the form of APIServices and webhooks.
func serviceOf(reference map[string]any) (at types.NamespacedName, port int32) {
	at.Namespace, _ = reference["namespace"].(string)
	at.Name, _ = reference["name"].(string)
	if number, ok := reference["port"].(int64); ok {
		return at, int32(number)
	}
	return at, 443
}

func available(api *unstructured.Unstructured) bool {
	conditions, _, _ := unstructured.NestedSlice(api.Object, "status", "conditions")
	for _, condition := range conditions {
		if c, ok := condition.(map[string]any); ok && c["type"] == "Available" && c["status"] == "True" {
			return true
		}
	}
	return false
}

// makeLocal replaces the API by one that the API server itself serves. It has no resources, unless it is
// metrics.k8s.io. An event informs the user.
//
// makeLocal recreates the object, because after an update discovery would still fail.
func (a *apiServices) makeLocal(ctx context.Context, api *unstructured.Unstructured, service types.NamespacedName) error {
	uid := api.GetUID()
	apis := a.dynamic.Resource(apiServiceKind())
	if err := apis.Delete(ctx, api.GetName(), metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}}); err != nil {
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return nil // another client changed the object, so it is checked again
		}
		return err
	}
	gone := a.awaitUnlisted(ctx, api)
	local := localOf(api, service)
	if _, err := apis.Create(ctx, local, metav1.CreateOptions{FieldManager: "lab-engine"}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return errors.Join(gone, a.tell(ctx, api, service))
}

// localOf returns a copy of the API without a Service.
func localOf(api *unstructured.Unstructured, service types.NamespacedName) *unstructured.Unstructured {
	local := &unstructured.Unstructured{Object: map[string]any{"spec": api.DeepCopy().Object["spec"]}}
	for _, field := range []string{"service", "caBundle", "insecureSkipTLSVerify"} {
		unstructured.RemoveNestedField(local.Object, "spec", field)
	}
	local.SetAPIVersion(api.GetAPIVersion())
	local.SetKind(api.GetKind())
	local.SetName(api.GetName())
	local.SetLabels(api.GetLabels())
	notes := map[string]string{serviceNote: service.String()}
	for key, value := range api.GetAnnotations() {
		notes[key] = value
	}
	local.SetAnnotations(notes)
	return local
}

// awaitUnlisted waits until discovery no longer lists the API. If discovery saw the new object without
// having seen the deletion of the old one, it would keep the old state.
func (a *apiServices) awaitUnlisted(ctx context.Context, api *unstructured.Unstructured) error {
	group, _, _ := unstructured.NestedString(api.Object, "spec", "group")
	version, _, _ := unstructured.NestedString(api.Object, "spec", "version")
	all, ok := a.client.Discovery().(discovery.AggregatedDiscoveryInterface)
	if !ok {
		return nil
	}
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 10*time.Second, true, func(context.Context) (bool, error) {
		_, _, failed, err := all.GroupsAndMaybeResources()
		_, listed := failed[schema.GroupVersion{Group: group, Version: version}]
		return err == nil && !listed, nil
	})
}

// tell creates the event.
func (a *apiServices) tell(ctx context.Context, api *unstructured.Unstructured, service types.NamespacedName) error {
	now := metav1.Now()
	_, err := a.client.CoreV1().Events(metav1.NamespaceDefault).Create(ctx, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: api.GetName() + "."},
		InvolvedObject: corev1.ObjectReference{APIVersion: api.GetAPIVersion(), Kind: api.GetKind(), Name: api.GetName(), UID: api.GetUID()},
		Type:           corev1.EventTypeWarning,
		Reason:         "Simulated",
		Message:        fmt.Sprintf("The pods of service %s are simulated and cannot serve this API. The API was made local, so that it does not block discovery.", service),
		Source:         corev1.EventSource{Component: "lab-engine"},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	}, metav1.CreateOptions{})
	return err
}

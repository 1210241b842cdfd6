package exercises

import (
	"context"
	"slices"
)

// Object is a Kubernetes object in the form of its JSON: maps, slices, strings, booleans, int64 and
// float64.
type Object = map[string]any

// Resource is a kind of objects.
type Resource struct {
	Kind, APIVersion, Plural string
	Clustered                bool // objects have no namespace; exercises may observe them, and not create them
}

// resources returns the kinds that exercises may use.
func resources() []Resource {
	var all []Resource
	add := func(apiVersion string, clustered bool, kinds ...string) {
		for i := 0; i < len(kinds); i += 2 {
			all = append(all, Resource{kinds[i], apiVersion, kinds[i+1], clustered})
		}
	}
	add("v1", false, "Pod", "pods", "Service", "services", "ConfigMap", "configmaps", "Secret", "secrets",
		"PersistentVolumeClaim", "persistentvolumeclaims", "ResourceQuota", "resourcequotas", "LimitRange", "limitranges",
		"ServiceAccount", "serviceaccounts", "Event", "events")
	add("v1", true, "Node", "nodes", "Namespace", "namespaces", "PersistentVolume", "persistentvolumes")
	add("apps/v1", false, "Deployment", "deployments", "ReplicaSet", "replicasets", "StatefulSet", "statefulsets",
		"DaemonSet", "daemonsets", "ControllerRevision", "controllerrevisions")
	add("batch/v1", false, "Job", "jobs", "CronJob", "cronjobs")
	add("networking.k8s.io/v1", false, "Ingress", "ingresses", "NetworkPolicy", "networkpolicies")
	add("discovery.k8s.io/v1", false, "EndpointSlice", "endpointslices")
	add("policy/v1", false, "PodDisruptionBudget", "poddisruptionbudgets")
	add("autoscaling/v2", false, "HorizontalPodAutoscaler", "horizontalpodautoscalers")
	add("rbac.authorization.k8s.io/v1", false, "Role", "roles", "RoleBinding", "rolebindings")
	add("networking.k8s.io/v1", true, "IngressClass", "ingressclasses")
	add("cert-manager.io/v1", false, "Certificate", "certificates", "Issuer", "issuers")
	add("monitoring.coreos.com/v1", false, "ServiceMonitor", "servicemonitors", "PrometheusRule", "prometheusrules")
	add("storage.k8s.io/v1", true, "StorageClass", "storageclasses")
	return all
}

// ResourceOf returns a kind that exercises may use.
func ResourceOf(kind string) (Resource, bool) {
	all := resources()
	i := slices.IndexFunc(all, func(r Resource) bool { return r.Kind == kind })
	if i < 0 {
		return Resource{}, false
	}
	return all[i], true
}

func kindNames() []string {
	var names []string
	for _, r := range resources() {
		names = append(names, r.Kind)
	}
	return names
}

// Answer is the answer of a Service.
type Answer struct {
	Status int    // 0 if there was no answer
	Body   string // its beginning
	Err    string // why there was no answer
}

// Cluster reads and changes the objects of a cluster. Its errors say what failed; those of an API
// server that cannot be reached are [fault.ErrUnavailable].
type Cluster interface {
	// Get returns ErrNotFound if the object does not exist. The namespace of a cluster-scoped object is "".
	Get(ctx context.Context, r Resource, namespace, name string) (Object, error)
	// List sorts by namespace and name. The namespace "" means all.
	List(ctx context.Context, r Resource, namespace, selector string) ([]Object, error)
	// Create returns ErrExists if the object exists.
	Create(ctx context.Context, r Resource, namespace string, o Object) error
	// Update replaces an object. It returns an error if the object changed since it was read.
	Update(ctx context.Context, r Resource, namespace string, o Object) error
	// Delete deletes the object with the UID of o, and returns no error if it does not exist.
	Delete(ctx context.Context, r Resource, namespace string, o Object) error
	// Evict evicts the pod with the UID of o. It returns false if a PodDisruptionBudget does not allow it now, and true
	// if the pod does not exist.
	Evict(ctx context.Context, namespace string, o Object) (bool, error)
	// Empty deletes the workloads and pods of a namespace, without giving pods time to end. It returns the
	// number of pods that existed.
	Empty(ctx context.Context, namespace string) (pods int, err error)
	// Watch calls changed for each object that exists, and then for each change, until ctx ends or the API server ends the
	// watch. It returns nil then, and an error if it cannot watch.
	Watch(ctx context.Context, w Watched, changed func()) error
	// Log returns the last lines of all containers of a pod.
	Log(ctx context.Context, namespace, pod string, lines int) (string, error)
	// Ask sends a GET request to a Service through the API server.
	Ask(ctx context.Context, namespace, service string, port int, path string) Answer
}

// NameOf returns the name of an object.
func NameOf(o Object) string { return text(o, "metadata", "name") }

// text returns a string in an object, or "".
func text(o Object, path ...string) string {
	s, _ := field(o, path...).(string)
	return s
}

// number returns a whole number in an object, or 0.
func number(o Object, path ...string) int64 {
	n, _ := field(o, path...).(int64)
	return n
}

// field returns a value in an object, or nil.
func field(o Object, path ...string) any {
	var v any = o
	for _, key := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[key]
	}
	return v
}

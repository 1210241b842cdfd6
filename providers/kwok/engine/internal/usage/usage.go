// Package usage serves the CPU and memory usage of pods as metrics.k8s.io, for kubectl top and
// HorizontalPodAutoscalers. The usage is not measured: it comes from KWOK's objects ResourceUsage and
// ClusterResourceUsage, or from the annotations of the pod, or is a small default.
package usage

import (
	"context"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/client/clientset/versioned"
	"sigs.k8s.io/kwok/pkg/kwok/metrics"
)

// annotation is the prefix of the annotations with the usage of a pod. KWOK's default usage has the same.
const annotation = "kwok.x-k8s.io/usage-"

// leastOf returns the default usage of a container, which is that of KWOK.
func leastOf(name corev1.ResourceName) resource.Quantity {
	if name == corev1.ResourceMemory {
		return resource.MustParse("1Mi")
	}
	return resource.MustParse("1m")
}

// rules are the usages that users configured.
type rules struct {
	pods    []*internalversion.ResourceUsage
	cluster []*internalversion.ClusterResourceUsage
	cel     func() (*metrics.Environment, error)
}

// readRules reads the ResourceUsage and ClusterResourceUsage objects.
func readRules(ctx context.Context, kwok versioned.Interface, cel func() (*metrics.Environment, error)) (*rules, error) {
	r := &rules{cel: cel}
	options := metav1.ListOptions{ResourceVersion: "0"}
	pods, err := kwok.KwokV1alpha1().ResourceUsages("").List(ctx, options)
	if err != nil {
		return nil, err
	}
	for i := range pods.Items {
		usage, err := internalversion.ConvertToInternalResourceUsage(&pods.Items[i])
		if err != nil {
			return nil, err
		}
		r.pods = append(r.pods, usage)
	}
	cluster, err := kwok.KwokV1alpha1().ClusterResourceUsages().List(ctx, options)
	if err != nil {
		return nil, err
	}
	for i := range cluster.Items {
		usage, err := internalversion.ConvertToInternalClusterResourceUsage(&cluster.Items[i])
		if err != nil {
			return nil, err
		}
		r.cluster = append(r.cluster, usage)
	}
	slices.SortFunc(r.cluster, func(a, b *internalversion.ClusterResourceUsage) int { return strings.Compare(a.Name, b.Name) })
	return r, nil
}

// of returns the usage of a container. It returns an error if an expression of the user fails.
func (r *rules) of(ctx context.Context, pod *corev1.Pod, container *corev1.Container) (corev1.ResourceList, error) {
	said := r.find(pod, container.Name)
	all := corev1.ResourceList{}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		value := said[string(name)]
		switch {
		case value.Value != nil:
			all[name] = *value.Value
		case value.Expression != nil:
			q, err := r.evaluate(ctx, *value.Expression, name, pod, container)
			if err != nil {
				return nil, err
			}
			all[name] = q
		default:
			all[name] = annotated(pod, name)
		}
	}
	return all, nil
}

// find returns the usage that users configured for a container: for its pod by name, or else for its
// namespace or the whole cluster.
func (r *rules) find(pod *corev1.Pod, container string) map[string]internalversion.ResourceUsageValue {
	for _, usage := range r.pods {
		if usage.Name == pod.Name && usage.Namespace == pod.Namespace {
			return inUsages(usage.Spec.Usages, container)
		}
	}
	for _, usage := range r.cluster {
		if !usage.Spec.Selector.Match(pod.Name, pod.Namespace) {
			continue
		}
		if found := inUsages(usage.Spec.Usages, container); found != nil {
			return found
		}
	}
	return nil
}

// inUsages returns the usage for the container by name, or else the usage for all containers.
func inUsages(usages []internalversion.ResourceUsageContainer, container string) (all map[string]internalversion.ResourceUsageValue) {
	for _, u := range usages {
		switch {
		case slices.Contains(u.Containers, container):
			return u.Usage
		case len(u.Containers) == 0 && all == nil:
			all = u.Usage
		}
	}
	return all
}

func (r *rules) evaluate(ctx context.Context, expression string, name corev1.ResourceName, pod *corev1.Pod, container *corev1.Container) (resource.Quantity, error) {
	env, err := r.cel()
	if err != nil {
		return resource.Quantity{}, err
	}
	program, err := env.Compile(expression)
	if err != nil {
		return resource.Quantity{}, err
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: pod.Spec.NodeName}}
	value, err := program.EvaluateFloat64(ctx, metrics.Data{Node: node, Pod: pod, Container: container})
	if name == corev1.ResourceCPU {
		return *resource.NewMilliQuantity(int64(value*1000), resource.DecimalSI), err
	}
	return *resource.NewQuantity(int64(value), resource.BinarySI), err
}

// annotated returns the usage of each container that the annotation of the pod sets, or the default.
func annotated(pod *corev1.Pod, name corev1.ResourceName) resource.Quantity {
	if text, ok := pod.Annotations[annotation+string(name)]; ok {
		if q, err := resource.ParseQuantity(text); err == nil {
			return q
		}
	}
	return leastOf(name)
}

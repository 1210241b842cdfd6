package usage

import (
	"context"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	api "k8s.io/metrics/pkg/apis/metrics/v1beta1"
)

func (s server) nodes(r *http.Request) (any, error) {
	list := api.NodeMetricsList{TypeMeta: typeMeta("NodeMetricsList"), Items: []api.NodeMetrics{}}
	nodes, err := s.client.CoreV1().Nodes().List(r.Context(), selected(r))
	if err != nil {
		return nil, err
	}
	used, err := s.byNode(r.Context())
	if err != nil {
		return nil, err
	}
	for i := range nodes.Items {
		list.Items = append(list.Items, ofNode(&nodes.Items[i], used))
	}
	return list, nil
}

func (s server) node(r *http.Request) (any, error) {
	node, err := s.client.CoreV1().Nodes().Get(r.Context(), r.PathValue("name"), metav1.GetOptions{ResourceVersion: "0"})
	if err != nil {
		return nil, err
	}
	used, err := s.byNode(r.Context())
	if err != nil {
		return nil, err
	}
	usage := ofNode(node, used)
	usage.TypeMeta = typeMeta("NodeMetrics")
	return usage, nil
}

// byNode returns the total usage of the running pods of each node.
func (s server) byNode(ctx context.Context) (map[string]corev1.ResourceList, error) {
	pods, err := s.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return nil, err
	}
	rules, err := readRules(ctx, s.kwok, s.cel)
	if err != nil {
		return nil, err
	}
	sums := map[string]corev1.ResourceList{}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.Status.Phase != corev1.PodRunning {
			continue
		}
		usage, err := ofPod(ctx, rules, pod)
		if err != nil {
			return nil, err
		}
		sum := sums[pod.Spec.NodeName]
		if sum == nil {
			sum = corev1.ResourceList{}
			sums[pod.Spec.NodeName] = sum
		}
		for _, container := range usage.Containers {
			add(sum, container.Usage)
		}
	}
	return sums, nil
}

func add(sum, more corev1.ResourceList) {
	for name, quantity := range more {
		total := sum[name]
		total.Add(quantity)
		sum[name] = total
	}
}

// ofNode returns the usage of a node. A node without pods uses nothing.
func ofNode(node *corev1.Node, used map[string]corev1.ResourceList) api.NodeMetrics {
	usage := corev1.ResourceList{}
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		usage[name] = used[node.Name][name]
	}
	return api.NodeMetrics{
		ObjectMeta: metav1.ObjectMeta{Name: node.Name, Labels: node.Labels, CreationTimestamp: metav1.Now()},
		Timestamp:  metav1.Now(), Window: metav1.Duration{Duration: window}, Usage: usage,
	}
}

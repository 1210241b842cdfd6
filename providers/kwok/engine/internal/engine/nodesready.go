package engine

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
)

// tally contains the existing nodes, and whether pods may run on them.
type tally map[string]bool

// complete reports whether at least atLeast nodes exist, and all are ready.
func (t tally) complete(atLeast int) bool {
	for _, ready := range t {
		if !ready {
			return false
		}
	}
	return len(t) >= atLeast
}

// nodesReady watches the nodes until at least atLeast exist and all are ready. It returns false if the
// watch fails.
func nodesReady(ctx context.Context, client kubernetes.Interface, atLeast int) bool {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return false
	}
	all := tally{}
	for i := range list.Items {
		all[list.Items[i].Name] = isReady(&list.Items[i])
	}
	changes, err := client.CoreV1().Nodes().Watch(ctx, metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		return false
	}
	defer changes.Stop()
	for !all.complete(atLeast) {
		change, ok := <-changes.ResultChan()
		if !ok {
			return false
		}
		all.apply(change)
	}
	return true
}

func (t tally) apply(change watch.Event) {
	node, ok := change.Object.(*corev1.Node)
	switch {
	case !ok: // an error, after which the watch ends
	case change.Type == watch.Deleted:
		delete(t, node.Name)
	default:
		t[node.Name] = isReady(node)
	}
}

// isReady reports whether pods may run on the node: it is Ready, and the taint of new nodes was removed.
func isReady(node *corev1.Node) bool {
	for _, taint := range node.Spec.Taints {
		if taint.Key == corev1.TaintNodeNotReady {
			return false
		}
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

package probe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterlab-dev/lab/addons/ready"
)

// Node is a node in the API server.
type Node struct {
	Name   string `json:"name"`
	Role   string `json:"role"` // "control-plane" or "worker"
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"` // why it is not ready, in the words of the kubelet
}

const roleControlPlane = "control-plane"

// nodesOf returns nodes, control planes first, then by name.
func nodesOf(items []corev1.Node) []Node {
	nodes := make([]Node, len(items))
	for i := range items {
		nodes[i] = nodeOf(&items[i])
	}
	slices.SortFunc(nodes, func(a, b Node) int {
		// "control-plane" sorts before "worker".
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(a.Name, b.Name))
	})
	return nodes
}

func nodeOf(n *corev1.Node) Node {
	node := Node{Name: n.Name, Role: "worker", Reason: "its kubelet has not reported yet"}
	if _, ok := n.Labels["node-role.kubernetes.io/control-plane"]; ok {
		node.Role = roleControlPlane
	}
	for _, c := range n.Status.Conditions {
		if c.Type == corev1.NodeReady {
			node.Ready = c.Status == corev1.ConditionTrue
			node.Reason = cmp.Or(c.Message, c.Reason)
		}
	}
	if node.Ready {
		node.Reason = ""
	}
	return node
}

// missingReports returns what is missing until every node has reported since it began to run, or "". A
// node reports by renewing its lease.
func missingReports(ctx context.Context, client kubernetes.Interface, nodes []Node, since map[string]time.Time) string {
	leases, err := client.CoordinationV1().Leases(corev1.NamespaceNodeLease).List(ctx, metav1.ListOptions{})
	if err != nil {
		return unanswered(err)
	}
	renewed := map[string]time.Time{}
	for i := range leases.Items {
		if t := leases.Items[i].Spec.RenewTime; t != nil {
			renewed[leases.Items[i].Name] = t.Time
		}
	}
	for _, n := range nodes {
		if began, known := since[n.Name]; known && renewed[n.Name].Before(began) {
			return fmt.Sprintf("node %s to report again", n.Name)
		}
	}
	return ""
}

// lacksNetwork reports whether the kubelet waits for a network plugin. The kubelet or the runtime says so
// in the reason.
func (n Node) lacksNetwork() bool {
	return !n.Ready && (strings.Contains(n.Reason, "NetworkReady=false") || strings.Contains(n.Reason, "NetworkPluginNotReady") ||
		strings.Contains(n.Reason, "cni "))
}

// gone returns the wanted nodes that are not registered and will not register. Nodes may register under
// other names than their tool knows: while enough are registered, none is gone.
func (w Want) gone(nodes []Node) []string {
	if !w.Settled || len(nodes) >= len(w.Names) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(w.Names), func(name string) bool {
		began, known := w.Since[name]
		return known && time.Since(began) < registersWithin ||
			slices.ContainsFunc(nodes, func(n Node) bool { return n.Name == name })
	})
}

// missingNodes returns what is missing until the wanted nodes are registered and ready, or "". A node
// without a network waits for the pod of the network plugin: then the reason is that of the pod.
func missingNodes(ctx context.Context, client kubernetes.Interface, nodes []Node, want Want) string {
	n := want.Nodes
	if len(want.Names) > 0 { // the tool's own configuration may have more nodes
		n = len(want.Names)
	}
	if len(nodes) < n {
		return fmt.Sprintf("%d of %d nodes to register", n-len(nodes), n)
	}
	unready, first := 0, Node{}
	for _, n := range nodes {
		if n.Ready || want.Without.CNI && n.lacksNetwork() {
			continue
		}
		if unready == 0 {
			first = n
		}
		unready++
	}
	if first.lacksNetwork() {
		if why := ready.WhyNode(ctx, client, first.Name); why != "" {
			first.Reason = why
		}
	}
	switch unready {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("node %s to be ready (%s)", first.Name, first.Reason)
	}
	return fmt.Sprintf("%d nodes to be ready (%s: %s)", unready, first.Name, first.Reason)
}

// relief returns the fix for the first node that lacks a resource, for a hint, or "". Such a node
// accepts no more pods, and evicts those that it has.
func relief(nodes []corev1.Node) string {
	for i := range nodes {
		for _, c := range nodes[i].Status.Conditions {
			if c.Status != corev1.ConditionTrue {
				continue
			}
			switch c.Type {
			case corev1.NodeDiskPressure:
				return fmt.Sprintf("the disk of node %s is almost full (DiskPressure): docker system df shows what uses it, "+
					"docker system prune removes what no container uses", nodes[i].Name)
			case corev1.NodeMemoryPressure:
				return fmt.Sprintf("node %s lacks memory (MemoryPressure): end other programs, stop other clusters, "+
					"or give the engine more memory; lab doctor shows how much it has", nodes[i].Name)
			}
		}
	}
	return ""
}

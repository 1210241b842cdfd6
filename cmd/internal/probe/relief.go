package probe

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// relief is what helps the first node that has run short of something, in words for a
// hint, or "": such a node takes no more pods, and ends those that it has.
func relief(nodes []corev1.Node) string {
	for i := range nodes {
		for _, c := range nodes[i].Status.Conditions {
			if c.Status != corev1.ConditionTrue {
				continue
			}
			switch c.Type {
			case corev1.NodeDiskPressure:
				return fmt.Sprintf("the disk of node %s is almost full (DiskPressure): docker system df shows what takes it, "+
					"docker system prune removes what no container uses", nodes[i].Name)
			case corev1.NodeMemoryPressure:
				return fmt.Sprintf("node %s is short of memory (MemoryPressure): end other programs and clusters, "+
					"or give the engine more; lab doctor shows what it has", nodes[i].Name)
			}
		}
	}
	return ""
}

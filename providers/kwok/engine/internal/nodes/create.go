package nodes

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// atOnce is the number of nodes that are created in parallel.
const atOnce = 32

// Create creates the node of the control plane and the workers PREFIX-worker, PREFIX-worker2 and so on.
// It does not change existing nodes.
func Create(ctx context.Context, client kubernetes.Interface, prefix, controlPlane string, workers int, version string) error {
	// List first: after the first start, all nodes usually exist, and there may be thousands.
	existing, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return err
	}
	exists := map[string]bool{}
	for i := range existing.Items {
		exists[existing.Items[i].Name] = true
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	create := func(node *corev1.Node) {
		if exists[node.Name] {
			return
		}
		group.Go(func() error {
			_, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
			if apierrors.IsAlreadyExists(err) {
				return nil
			}
			return err
		})
	}
	main := newNode(controlPlane, version)
	main.Labels["node-role.kubernetes.io/control-plane"] = ""
	create(main)
	for i := 1; i <= workers; i++ {
		create(newNode(workerName(prefix, i), version))
	}
	return group.Wait()
}

func workerName(prefix string, i int) string {
	if i == 1 {
		return prefix + "-worker"
	}
	return fmt.Sprintf("%s-worker%d", prefix, i)
}

// newNode returns a node. It has many resources, because nothing runs on it and few users test full
// clusters.
func newNode(name, version string) *corev1.Node {
	room := corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("32"),
		corev1.ResourceMemory:           resource.MustParse("256Gi"),
		corev1.ResourceEphemeralStorage: resource.MustParse("1Ti"),
		corev1.ResourcePods:             resource.MustParse("5000"),
	}
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name,
			Labels: map[string]string{
				corev1.LabelHostname:   name,
				corev1.LabelArchStable: runtime.GOARCH,
				corev1.LabelOSStable:   "linux",
				"type":                 "kwok",
			},
			Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"},
		},
		Status: corev1.NodeStatus{
			Capacity:    room,
			Allocatable: room,
			NodeInfo: corev1.NodeSystemInfo{
				Architecture:    runtime.GOARCH,
				OperatingSystem: "linux",
				OSImage:         "simulated by KWOK",
				KubeletVersion:  version,
			},
		},
	}
}

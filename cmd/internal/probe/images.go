package probe

import (
	"cmp"
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PodImage is an image that a container of a pod runs or ran.
type PodImage struct {
	Name      string // as the pod names it
	ID        string // as the node reports it: with a digest and its repository if the node pulled the image
	Namespace string // of the pod
}

// Images returns the images of all pods, those of the newest pods first. It omits containers that have not started: their
// nodes may lack the image. Its error is that of an API server that does not answer.
func (a API) Images(ctx context.Context, kubeconfig []byte) ([]PodImage, error) {
	client, err := connect(kubeconfig)
	if err != nil {
		return nil, err
	}
	ctx, cancel := a.bound(ctx)
	defer cancel()
	pods, err := client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(pods.Items, func(a, b corev1.Pod) int {
		return cmp.Or(b.CreationTimestamp.Compare(a.CreationTimestamp.Time), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	var all []PodImage
	for _, pod := range pods.Items {
		all = append(all, imagesOf(pod)...)
	}
	return all, nil
}

// imagesOf returns the images of a pod. Their names come from its specification: the status may have another name of
// the same image.
func imagesOf(pod corev1.Pod) (all []PodImage) {
	containers := slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers)
	for _, status := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		i := slices.IndexFunc(containers, func(c corev1.Container) bool { return c.Name == status.Name })
		if i >= 0 && status.ImageID != "" {
			all = append(all, PodImage{Name: containers[i].Image, ID: status.ImageID, Namespace: pod.Namespace})
		}
	}
	return all
}

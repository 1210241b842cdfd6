package ready

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// why explains why a workload's pods are not ready, or is "".
func (l *look) why(ctx context.Context, namespace string, p progress) string {
	if p.trouble != "" {
		return p.trouble
	}
	return WhyNot(ctx, l.typed, namespace, metav1.FormatLabelSelector(p.selector))
}

// WhyNot explains why pods are not ready, by the newest that has something to say, or is
// "". selector is that of their labels.
func WhyNot(ctx context.Context, client kubernetes.Interface, namespace, selector string) string {
	pods, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return err.Error()
	}
	slices.SortFunc(pods.Items, func(a, b corev1.Pod) int {
		return b.CreationTimestamp.Compare(a.CreationTimestamp.Time)
	})
	for i := range pods.Items {
		if why := whyPod(ctx, client, &pods.Items[i]); why != "" {
			return why
		}
	}
	return ""
}

func whyPod(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod) string {
	if pod.DeletionTimestamp != nil {
		return ""
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			// What would not help, either, the scheduler says at length.
			message, _, _ := strings.Cut(c.Message, " preemption:")
			return fmt.Sprintf("no node takes pod %s: %s", pod.Name, strings.TrimSuffix(message, "."))
		}
	}
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if why := whyContainer(ctx, client, pod, c); why != "" {
			return why
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.ContainersReady && c.Status == corev1.ConditionFalse && pod.Status.Phase == corev1.PodRunning {
			return fmt.Sprintf("pod %s runs, and its readiness probe does not succeed yet", pod.Name)
		}
	}
	return ""
}

func whyContainer(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, c corev1.ContainerStatus) string {
	waiting := c.State.Waiting
	if waiting == nil {
		return ""
	}
	switch waiting.Reason {
	case "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName":
		return fmt.Sprintf("pod %s cannot pull the image %s: %s", pod.Name, c.Image, cmp.Or(waiting.Message, waiting.Reason))
	case "CrashLoopBackOff":
		why := fmt.Sprintf("container %s of pod %s crashes again and again", c.Name, pod.Name)
		if last := c.LastTerminationState.Terminated; last != nil {
			if last.Reason == "StartError" { // it did not even start, so no line of its own says why
				return notMade(c.Name, pod.Name, last.Message)
			}
			why += fmt.Sprintf(" (exit code %d)", last.ExitCode)
		}
		if line := lastLine(ctx, client, pod, c.Name); line != "" {
			why += ": " + line
		}
		return why
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		return notMade(c.Name, pod.Name, waiting.Message)
	}
	return ""
}

func notMade(container, pod, why string) string {
	return fmt.Sprintf("container %s of pod %s cannot be made: %s", container, pod, why)
}

// lastLine returns the last line that a container wrote before it crashed, or "".
func lastLine(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, container string) string {
	lines := int64(1)
	text, err := client.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
		Container: container, Previous: true, TailLines: &lines,
	}).DoRaw(ctx)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

package ready

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterlab-dev/lab/addons"
)

// why says why a workload's pods are not ready, or returns "".
func (l *look) why(ctx context.Context, o addons.Object, p progress) string {
	if p.trouble != "" {
		return p.trouble
	}
	return cmp.Or(WhyNot(ctx, l.typed, o.Namespace, metav1.FormatLabelSelector(p.selector)), l.refused(ctx, o))
}

// refused says why a workload cannot create pods, or returns "". Its controller reports this only as an event, except for
// a Deployment.
func (l *look) refused(ctx context.Context, o addons.Object) string {
	events, err := l.typed.CoreV1().Events(o.Namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=" + o.Name})
	if err != nil {
		return ""
	}
	var newest *corev1.Event
	for i := range events.Items {
		e := &events.Items[i]
		of := e.InvolvedObject
		if of.Kind == o.Kind && of.Name == o.Name && e.Reason == "FailedCreate" && (newest == nil || newest.LastTimestamp.Before(&e.LastTimestamp)) {
			newest = e
		}
	}
	if newest == nil {
		return ""
	}
	return newest.Message
}

// WhyNot says why the pods that selector selects are not ready, or returns "". The newest pod with a
// known reason counts.
func WhyNot(ctx context.Context, client kubernetes.Interface, namespace, selector string) string {
	why, _ := whyPods(ctx, client, namespace, metav1.ListOptions{LabelSelector: selector}, anyPod)
	return why
}

// WhyNoDaemons is WhyNot for all pods of DaemonSets in a namespace. In kube-system, these are the network
// plugin and kube-proxy, which the other pods need.
func WhyNoDaemons(ctx context.Context, client kubernetes.Interface, namespace string) string {
	why, _ := whyPods(ctx, client, namespace, metav1.ListOptions{}, func(pod *corev1.Pod) bool {
		owner := metav1.GetControllerOf(pod)
		return owner != nil && owner.Kind == "DaemonSet"
	})
	return why
}

// WhyNode is WhyNot for all pods of a node.
func WhyNode(ctx context.Context, client kubernetes.Interface, node string) string {
	why, _ := whyPods(ctx, client, metav1.NamespaceAll, metav1.ListOptions{FieldSelector: "spec.nodeName=" + node}, anyPod)
	return why
}

// WhyPods is WhyNot for pods that must complete. Without a known reason it returns the phase of the
// newest pod, or that no pod exists.
func WhyPods(ctx context.Context, client kubernetes.Interface, namespace string, pods metav1.ListOptions) string {
	why, newest := whyPods(ctx, client, namespace, pods, anyPod)
	switch {
	case why != "":
		return why
	case newest == nil:
		return "no pod exists"
	}
	return fmt.Sprintf("pod %s is %s", newest.Name, newest.Status.Phase)
}

func anyPod(*corev1.Pod) bool { return true }

// whyPods returns the reason of the newest pod that counts and has one, and the newest pod of all.
func whyPods(ctx context.Context, client kubernetes.Interface, namespace string, options metav1.ListOptions, counts func(*corev1.Pod) bool) (string, *corev1.Pod) {
	pods, err := client.CoreV1().Pods(namespace).List(ctx, options)
	if err != nil {
		return err.Error(), nil
	}
	slices.SortFunc(pods.Items, func(a, b corev1.Pod) int {
		return b.CreationTimestamp.Compare(a.CreationTimestamp.Time)
	})
	var newest *corev1.Pod
	for i := range pods.Items {
		newest = cmp.Or(newest, &pods.Items[i])
		if !counts(&pods.Items[i]) {
			continue
		}
		if why := whyPod(ctx, client, &pods.Items[i]); why != "" {
			return why, newest
		}
	}
	return "", newest
}

func whyPod(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod) string {
	if pod.DeletionTimestamp != nil {
		return ""
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			if claim := whyClaims(ctx, client, pod); claim != "" {
				return fmt.Sprintf("no node fits pod %s: %s", pod.Name, claim)
			}
			// The rest explains at length that preemption would not help.
			message, _, _ := strings.Cut(c.Message, " preemption:")
			return fmt.Sprintf("no node fits pod %s: %s", pod.Name, strings.TrimSuffix(message, "."))
		}
	}
	for _, c := range slices.Concat(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses) {
		if why := whyContainer(ctx, client, pod, c); why != "" {
			return why
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.ContainersReady && c.Status == corev1.ConditionFalse && pod.Status.Phase == corev1.PodRunning {
			return fmt.Sprintf("pod %s is running, but its readiness probe fails", pod.Name)
		}
	}
	return ""
}

// whyClaims says why a claim of a pod never gets a volume, or returns "". The scheduler says only that a claim has none.
func whyClaims(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod) string {
	for _, v := range pod.Spec.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		claim, err := client.CoreV1().PersistentVolumeClaims(pod.Namespace).Get(ctx, v.PersistentVolumeClaim.ClaimName, metav1.GetOptions{})
		if err != nil || claim.Spec.VolumeName != "" {
			continue
		}
		class := claim.Spec.StorageClassName
		if class == nil {
			return fmt.Sprintf("PersistentVolumeClaim %s names no StorageClass, and the cluster has no default one", claim.Name)
		}
		if _, err := client.StorageV1().StorageClasses().Get(ctx, *class, metav1.GetOptions{}); *class != "" && apierrors.IsNotFound(err) {
			return fmt.Sprintf("the StorageClass %q of PersistentVolumeClaim %s does not exist", *class, claim.Name)
		}
	}
	return ""
}

func whyContainer(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, c corev1.ContainerStatus) string {
	if end := c.State.Terminated; end != nil && end.ExitCode != 0 {
		why := fmt.Sprintf("container %s of pod %s exited with code %d", c.Name, pod.Name, end.ExitCode)
		if line := lastLine(ctx, client, pod, c.Name, false); line != "" {
			return why + ": " + line
		}
		return strings.TrimSuffix(why+": "+cmp.Or(end.Message, end.Reason), ": ")
	}
	waiting := c.State.Waiting
	if waiting == nil {
		return ""
	}
	switch waiting.Reason {
	case "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName":
		return fmt.Sprintf("pod %s cannot pull the image %s: %s", pod.Name, c.Image, cmp.Or(waiting.Message, waiting.Reason))
	case "CrashLoopBackOff":
		why := fmt.Sprintf("container %s of pod %s keeps crashing", c.Name, pod.Name)
		if last := c.LastTerminationState.Terminated; last != nil {
			if last.Reason == "StartError" { // it never started, so it has no output
				return notCreated(c.Name, pod.Name, last.Message)
			}
			why += fmt.Sprintf(" (exit code %d)", last.ExitCode)
		}
		if line := lastLine(ctx, client, pod, c.Name, true); line != "" {
			why += ": " + line
		}
		return why
	case "CreateContainerConfigError", "CreateContainerError", "RunContainerError":
		return notCreated(c.Name, pod.Name, waiting.Message)
	}
	return ""
}

func notCreated(container, pod, why string) string {
	return fmt.Sprintf("container %s of pod %s cannot be created: %s", container, pod, why)
}

// lastLine returns the last line of a container's output, or "". previous selects the container
// before its last restart.
func lastLine(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod, container string, previous bool) string {
	lines := int64(1)
	text, err := client.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{
		Container: container, Previous: previous, TailLines: &lines,
	}).DoRaw(ctx)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}

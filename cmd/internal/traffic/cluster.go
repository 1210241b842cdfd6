package traffic

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	// labelService marks the pods of load generators, with the name of the Service.
	labelService = "clusterlab.dev/traffic"

	// maxLifetime is the time after which a load generator ends by itself, in case lab is killed.
	maxLifetime = time.Hour

	// startTime is how long the pod of a load generator may take to start.
	startTime = time.Minute
)

// api is the [Cluster] of a kubeconfig.
type api struct{ client kubernetes.Interface }

// Connect returns the cluster of a kubeconfig. It sends no request.
func Connect(kubeconfig []byte) (Cluster, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("cannot read the kubeconfig of the cluster: %w", err)
	}
	config.QPS = -1 // a few requests a second, which must not wait for each other
	client, err := kubernetes.NewForConfig(config)
	return api{client}, err
}

// Target implements [Cluster].
func (a api) Target(ctx context.Context, q Request) (Target, error) {
	service, err := a.client.CoreV1().Services(q.Namespace).Get(ctx, q.Service, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		err := fault.Errorf(fault.ErrNotFound, "namespace %q has no Service %q", q.Namespace, q.Service)
		return Target{}, fault.WithHint(err, "list the Services: lab kubectl %s -- get services --all-namespaces; name the namespace: --namespace NAMESPACE", q.Cluster)
	}
	if err != nil {
		return Target{}, err
	}
	var ports []string
	for _, p := range service.Spec.Ports {
		ports = append(ports, strconv.Itoa(int(p.Port)))
	}
	if len(ports) == 0 || q.Port != 0 && !slices.Contains(ports, strconv.Itoa(q.Port)) {
		err := fault.Errorf(fault.ErrInvalid, "Service %s/%s has no port %d", q.Namespace, q.Service, q.Port)
		return Target{}, fault.WithHint(err, "its ports are %s", strings.Join(ports, ", "))
	}
	port := q.Port
	if port == 0 {
		port = int(service.Spec.Ports[0].Port)
	}
	return Target{q.Namespace, q.Service, port}, nil
}

// Backends implements [Cluster].
func (a api) Backends(ctx context.Context, to Target) ([]string, error) {
	slicesOf, err := a.client.DiscoveryV1().EndpointSlices(to.Namespace).List(ctx, metav1.ListOptions{LabelSelector: discoveryv1.LabelServiceName + "=" + to.Service})
	if err != nil {
		return nil, err
	}
	pods, err := a.client.CoreV1().Pods(to.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	versions := map[string]string{}
	for _, pod := range pods.Items {
		versions[pod.Name] = versionOf(pod.Spec.Containers[0].Image)
	}
	var ready []string
	for _, slice := range slicesOf.Items {
		for _, e := range slice.Endpoints {
			if e.TargetRef != nil && (e.Conditions.Ready == nil || *e.Conditions.Ready) && versions[e.TargetRef.Name] != "" {
				ready = append(ready, versions[e.TargetRef.Name])
			}
		}
	}
	return ready, nil
}

// versionOf returns the tag of an image, or the image if it has none.
func versionOf(image string) string {
	name := image[strings.LastIndex(image, "/")+1:]
	if _, tag, ok := strings.Cut(name, ":"); ok {
		tag, _, _ = strings.Cut(tag, "@")
		return tag
	}
	return name
}

// Generate implements [Cluster].
func (a api) Generate(ctx context.Context, q Request, to Target) (io.ReadCloser, func(context.Context) error, error) {
	pods := a.client.CoreV1().Pods(to.Namespace)
	if err := a.sweep(ctx, to); err != nil {
		return nil, nil, err
	}
	pod, err := pods.Create(ctx, generator(q, to), metav1.CreateOptions{})
	if err != nil {
		return nil, nil, fmt.Errorf("cannot create the load generator: %w", err)
	}
	stop := func(ctx context.Context) error {
		now := int64(0)
		err := pods.Delete(ctx, pod.Name, metav1.DeleteOptions{GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &pod.UID}})
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return nil
		}
		err = fmt.Errorf("cannot delete the load generator: %w", err)
		return fault.WithHint(err, "delete it: lab kubectl %s -- delete pod %s --namespace %s", q.Cluster, pod.Name, to.Namespace)
	}
	log, err := a.follow(ctx, to, pod.Name)
	if err != nil {
		limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		return nil, nil, errors.Join(err, stop(limited))
	}
	return log, stop, nil
}

// sweep deletes load generators that have ended and that a killed lab process could not delete.
func (a api) sweep(ctx context.Context, to Target) error {
	pods := a.client.CoreV1().Pods(to.Namespace)
	found, err := pods.List(ctx, metav1.ListOptions{LabelSelector: labelService})
	if err != nil {
		return err
	}
	for _, pod := range found.Items {
		if pod.Status.Phase != corev1.PodFailed && pod.Status.Phase != corev1.PodSucceeded {
			continue
		}
		err := pods.Delete(ctx, pod.Name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &pod.UID}})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			return err
		}
	}
	return nil
}

// follow waits until a pod runs, and returns its log.
func (a api) follow(ctx context.Context, to Target, name string) (io.ReadCloser, error) {
	pods := a.client.CoreV1().Pods(to.Namespace)
	limited, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	reason := "it is pending"
	for {
		pod, err := pods.Get(limited, name, metav1.GetOptions{})
		switch {
		case err != nil && limited.Err() == nil:
			return nil, fmt.Errorf("cannot start the load generator: %w", err)
		case err == nil && pod.Status.Phase != corev1.PodPending:
			return pods.GetLogs(name, &corev1.PodLogOptions{Follow: true}).Stream(ctx)
		case err == nil:
			var final bool
			if reason, final = waiting(pod, reason); final {
				return nil, notStarted(pod, reason)
			}
		}
		select {
		case <-limited.Done():
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, fault.Errorf(fault.ErrUnavailable, "the load generator does not start: %s", reason)
		case <-tick.C:
		}
	}
}

// waiting returns why a pod does not run yet. final is true if the pod cannot start.
func waiting(pod *corev1.Pod, before string) (reason string, final bool) {
	for _, c := range pod.Status.ContainerStatuses {
		if w := c.State.Waiting; w != nil && w.Reason != "ContainerCreating" {
			failed := slices.Contains([]string{"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}, w.Reason)
			return strings.TrimSuffix(w.Reason+": "+w.Message, ": "), failed
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return c.Message, false
		}
	}
	return before, false
}

func notStarted(pod *corev1.Pod, reason string) error {
	err := fault.Errorf(fault.ErrUnavailable, "the load generator does not start: %s", reason)
	return fault.WithHint(err, "load its image %s: lab image load lab-hello.tar (make build writes it to bin/); or name another: --image IMAGE", pod.Spec.Containers[0].Image)
}

// generator returns the pod of a load generator. It satisfies the restricted Pod Security Standard.
func generator(q Request, to Target) *corev1.Pod {
	yes, no := true, false
	ends, user := int64(maxLifetime.Seconds()), int64(65532)
	if q.Lasts > 0 {
		ends = int64((q.Lasts + startTime).Seconds()) + 1
	}
	labels := map[string]string{labelService: to.Service, "app.kubernetes.io/managed-by": "lab"}
	maps.Copy(labels, q.Labels)
	url := "http://" + net.JoinHostPort(to.Service, strconv.Itoa(to.Port)) + q.Path
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "lab-traffic-", Labels: labels},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, ActiveDeadlineSeconds: &ends, AutomountServiceAccountToken: &no, EnableServiceLinks: &no,
			SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: &yes, RunAsUser: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
			Containers: []corev1.Container{{
				Name: "load", Image: q.Image, Args: []string{"load", "-rate=" + strconv.Itoa(q.Rate), "-for=" + q.Lasts.String(), url},
				ImagePullPolicy: corev1.PullIfNotPresent,
				Resources:       corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("16Mi")}},
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
					Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
			}},
		},
	}
}

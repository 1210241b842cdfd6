package ready

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/portforward"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Forward implements [addons.Checker].
func (API) Forward(ctx context.Context, c addons.Cluster, namespace string, to addons.Endpoint, ready func(string)) error {
	config, err := connect(c.Kubeconfig)
	if err != nil {
		return err
	}
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	err = tunnel(ctx, config, typed, namespace, to, func(ctx context.Context, address string) {
		ready(address)
		<-ctx.Done()
	})
	if ctx.Err() != nil {
		return nil // the caller ended it
	}
	return err
}

// forward forwards a local port to a port of a Service while use runs.
func (l *look) forward(ctx context.Context, namespace string, to addons.Endpoint, use func(address string)) error {
	return tunnel(ctx, l.config, l.typed, namespace, to, func(_ context.Context, address string) { use(address) })
}

// tunnel forwards a free port of 127.0.0.1 to a pod of a Service until use returns. If the
// connection ends before, for example because the pod was deleted, the context of use ends and
// tunnel returns an error.
func tunnel(
	ctx context.Context, config *rest.Config, typed kubernetes.Interface, namespace string, to addons.Endpoint, use func(context.Context, string),
) error {
	pod, port, err := behind(ctx, typed, namespace, to)
	if err != nil {
		return err
	}
	at := typed.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("portforward").URL()
	// Over a WebSocket, which API servers support since Kubernetes 1.31.
	dialer, err := portforward.NewSPDYOverWebsocketDialer(at, config)
	if err != nil {
		return err
	}
	connected, cancel := context.WithCancel(ctx)
	defer cancel()
	ready := make(chan struct{})
	f, err := portforward.NewOnAddressesWithContext(connected, dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("0:%d", port)}, ready, io.Discard, io.Discard)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- f.ForwardPorts(); cancel() }()
	select {
	case <-connected.Done():
	case <-ready:
		if local, err := f.GetPorts(); err == nil {
			use(connected, fmt.Sprintf("127.0.0.1:%d", local[0].Local))
		}
	}
	cancel()
	return cmp.Or(ctx.Err(), <-ended)
}

// behind returns a ready pod of a Service, and the pod's port.
func behind(ctx context.Context, typed kubernetes.Interface, namespace string, to addons.Endpoint) (pod string, port int32, err error) {
	service, err := typed.CoreV1().Services(namespace).Get(ctx, to.Service, metav1.GetOptions{})
	if err != nil {
		return "", 0, err
	}
	pods, err := typed.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{
		LabelSelector: metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: service.Spec.Selector}),
	})
	if err != nil {
		return "", 0, err
	}
	for i := range pods.Items {
		if p := &pods.Items[i]; isReady(p) {
			port, err := targetPort(service, p, to.Port)
			return p.Name, port, err
		}
	}
	return "", 0, fault.Errorf(fault.ErrUnavailable, "no pod behind the Service %s is ready", to.Service)
}

func targetPort(service *corev1.Service, pod *corev1.Pod, port int) (int32, error) {
	for _, p := range service.Spec.Ports {
		if int(p.Port) != port {
			continue
		}
		if p.TargetPort.StrVal == "" {
			if p.TargetPort.IntVal == 0 {
				return p.Port, nil
			}
			return p.TargetPort.IntVal, nil
		}
		for _, c := range pod.Spec.Containers {
			for _, named := range c.Ports {
				if named.Name == p.TargetPort.StrVal {
					return named.ContainerPort, nil
				}
			}
		}
	}
	return 0, errors.New("the Service has no such port")
}

func isReady(pod *corev1.Pod) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

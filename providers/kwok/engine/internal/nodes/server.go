package nodes

import (
	"context"
	"errors"
	"net"
	"syscall"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kwok/pkg/apis/v1alpha1"
	"sigs.k8s.io/kwok/pkg/client/clientset/versioned"
	"sigs.k8s.io/kwok/pkg/kwok/server"
)

// serveKubelets runs the server of all kubelets on a free port until ctx is cancelled. It serves the
// metrics that Metric objects describe. It rejects requests for logs and commands.
func serveKubelets(ctx context.Context, now *playing, kwok versioned.Interface, moved func(string)) error {
	kubelets, err := server.NewServer(server.Config{
		TypedKwokClient: kwok,
		// Not those for Exec, Attach, Logs and PortForward, see CreateCRDs.
		EnableCRDs:      []string{v1alpha1.MetricKind, v1alpha1.ResourceUsageKind, v1alpha1.ClusterResourceUsageKind},
		DataSource:      now,
		NodeCacheGetter: latest[*corev1.Node](now.nodes),
		PodCacheGetter:  latest[*corev1.Pod](now.pods),
	})
	if err != nil {
		return err
	}
	if err := kubelets.InstallCRD(ctx); err != nil {
		return err
	}
	kubelets.InstallHealthz()
	if err := kubelets.InstallMetrics(ctx); err != nil {
		return err
	}
	kubelets.InstallDebuggingHandlers()
	for {
		address, err := freeAddress()
		if err != nil {
			return err
		}
		moved(address)
		// KWOK accepts no listener, so another program may take the port in between.
		err = kubelets.Run(ctx, address, "pki/kubelet.crt", "pki/kubelet.key")
		if !errors.Is(err, syscall.EADDRINUSE) {
			return err
		}
	}
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(IP, "0"))
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

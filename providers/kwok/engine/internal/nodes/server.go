package nodes

import (
	"context"
	"errors"
	"net"
	"syscall"

	"sigs.k8s.io/kwok/pkg/client/clientset/versioned"
	"sigs.k8s.io/kwok/pkg/kwok/controllers"
	"sigs.k8s.io/kwok/pkg/kwok/server"
)

// serveKubelets answers for all kubelets, at a free port, until ctx is cancelled.
// It has no logs, and runs no commands: it says so.
func serveKubelets(ctx context.Context, controller *controllers.Controller, kwok versioned.Interface, moved func(string)) error {
	kubelets, err := server.NewServer(server.Config{
		TypedKwokClient: kwok,
		DataSource:      controller,
		NodeCacheGetter: controller.GetNodeCache(),
		PodCacheGetter:  controller.GetPodCache(),
	})
	if err != nil {
		return err
	}
	kubelets.InstallHealthz()
	kubelets.InstallDebuggingHandlers()
	for {
		address, err := freeAddress()
		if err != nil {
			return err
		}
		moved(address)
		// KWOK takes no listener, so somebody else may take the port in between.
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

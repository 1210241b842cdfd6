// Package nodes creates the nodes of the cluster, and runs KWOK, which simulates their kubelets.
package nodes

import (
	"context"
	"fmt"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/kwok/pkg/client/clientset/versioned"
	"sigs.k8s.io/kwok/pkg/kwok/controllers"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/client"
)

const (
	// IP is the address of all nodes, because this process simulates their kubelets.
	IP = "127.0.0.1"
	// KubeletPort is the port of the kubelet that all nodes report. Nothing listens there: the egress
	// proxy forwards connections to KWOK's server, which uses a free port, so that clusters do not
	// conflict.
	KubeletPort = 10250
	// leaseSeconds is the duration of a node's lease. It is long, because each node renews its lease after
	// a quarter of it, and each renewal is a write to the disk.
	leaseSeconds = 200
	// holder is the holder of the leases. It is the same at each start: with another name, KWOK would
	// wait until the leases of the last run expire.
	holder = "lab-engine"
	// PodCIDR is the network of pods.
	PodCIDR = "10.244.0.0/16"
)

// RunKwok simulates the kubelets of all nodes until ctx is cancelled. It calls moved with the address of
// the server of the kubelets, and ready when KWOK handles nodes and its own kinds are served.
func RunKwok(ctx context.Context, kubeconfig string, log *kwoklog.Logger, moved func(address string), ready func()) error {
	ctx = kwoklog.NewContext(ctx, log)
	conf, err := controllerConfig(kubeconfig)
	if err != nil {
		return err
	}
	builtin, err := builtinStages()
	if err != nil {
		return err
	}
	now := new(playing)
	stop, err := now.play(ctx, conf, inForce(builtin, nil))
	if err != nil {
		return err
	}
	if err := CreateCRDs(ctx, conf.TypedClient, conf.TypedKwokClient); err != nil {
		stop()
		return ignoreEnd(ctx, err)
	}
	users := watchStages(ctx, conf.TypedKwokClient)
	failed := make(chan error, 1)
	go func() { failed <- serveKubelets(ctx, now, conf.TypedKwokClient, moved) }()
	ready()
	for {
		select {
		case <-ctx.Done():
			stop()
			return nil
		case err := <-failed:
			stop()
			return ignoreEnd(ctx, fmt.Errorf("kubelet server: %w", err))
		case own := <-users:
			// KWOK reads stages only when it starts. The restart also applies the new stages to
			// existing objects.
			stop()
			if stop, err = now.replay(ctx, conf, builtin, own); err != nil {
				return ignoreEnd(ctx, err)
			}
		}
	}
}

// ignoreEnd returns err unless it comes from the end of ctx.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func controllerConfig(kubeconfig string) (controllers.Config, error) {
	clients, err := client.NewClientset("", kubeconfig)
	if err != nil {
		return controllers.Config{}, err
	}
	restConfig, err := clients.ToRESTConfig()
	if err != nil {
		return controllers.Config{}, err
	}
	conf := controllers.Config{
		Clock:                           clock.RealClock{},
		ImpersonatingDynamicClient:      clients.ToImpersonatingDynamicClient(),
		ImpersonatingTypedClient:        clients.ToImpersonatingTypedClient(),
		ManageAllNodes:                  true,
		CIDR:                            PodCIDR,
		NodeIP:                          IP,
		NodePort:                        KubeletPort,
		PodPlayStageParallelism:         16,
		NodePlayStageParallelism:        16,
		NodeLeaseDurationSeconds:        leaseSeconds,
		NodeLeaseParallelism:            16,
		PodsOnNodeSyncParallelism:       4,
		EnablePodsOnNodeSyncStreamWatch: true,
		ID:                              holder,
		EnableMetrics:                   true,
		EnablePodCache:                  true, // filled on the first request for a Metric
	}
	return conf, connect(&conf, clients, restConfig)
}

// connect sets the clients of conf.
func connect(conf *controllers.Config, clients client.Clientset, restConfig *rest.Config) (err error) {
	if conf.DynamicClient, err = clients.ToDynamicClient(); err != nil {
		return err
	}
	if conf.RESTMapper, err = clients.ToRESTMapper(); err != nil {
		return err
	}
	if conf.RESTClient, err = rest.RESTClientFor(restConfig); err != nil {
		return err
	}
	if conf.TypedClient, err = kubernetes.NewForConfig(restConfig); err != nil {
		return err
	}
	conf.TypedKwokClient, err = versioned.NewForConfig(restConfig)
	return err
}

// Package nodes makes the cluster's nodes, and lets KWOK play the part of their
// kubelets.
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
	// IP is the address of every node: the kubelets are all this process.
	IP = "127.0.0.1"
	// KubeletPort is where every node says that its kubelet is. Nothing listens
	// there: the engine's egress proxy knows where KWOK's server really is, so
	// that it may be elsewhere at each start, and several clusters do not collide.
	KubeletPort = 10250
	// leaseSeconds is how long a node's lease lasts: a thousand nodes renew it at a
	// quarter of that, and each renewal is a write to the disk.
	leaseSeconds = 200
	// holder is the same at every start. Another name would have to wait until the
	// leases of the last run are over, and nothing would move until then.
	holder = "lab-engine"
	// podCIDR is where pods without a network get their addresses from.
	podCIDR = "10.244.0.0/16"
)

// RunKwok plays the kubelets of all nodes until ctx is cancelled. It calls moved
// with the address of the kubelets' server, and ready when both work.
func RunKwok(ctx context.Context, kubeconfig string, log *kwoklog.Logger, moved func(address string), ready func()) error {
	ctx = kwoklog.NewContext(ctx, log)
	conf, err := controllerConfig(kubeconfig)
	if err != nil {
		return err
	}
	controller, err := controllers.NewController(conf)
	if err != nil {
		return err
	}
	if err := controller.Start(ctx); err != nil {
		return err
	}
	failed := make(chan error, 1)
	go func() { failed <- serveKubelets(ctx, controller, conf.TypedKwokClient, moved) }()
	ready()
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return fmt.Errorf("kubelet server: %w", err)
	}
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
		CIDR:                            podCIDR,
		NodeIP:                          IP,
		NodePort:                        KubeletPort,
		PodPlayStageParallelism:         16,
		NodePlayStageParallelism:        16,
		NodeLeaseDurationSeconds:        leaseSeconds,
		NodeLeaseParallelism:            16,
		PodsOnNodeSyncParallelism:       4,
		EnablePodsOnNodeSyncStreamWatch: true,
		ID:                              holder,
	}
	return conf, connect(&conf, clients, restConfig)
}

// connect fills in the clients.
func connect(conf *controllers.Config, clients client.Clientset, restConfig *rest.Config) (err error) {
	if conf.LocalStages, err = stages(); err != nil {
		return err
	}
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

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
	// PodCIDR is where pods without a network get their addresses from.
	PodCIDR = "10.244.0.0/16"
)

// RunKwok plays the kubelets of all nodes until ctx is cancelled. It calls moved
// with the address of the kubelets' server, and ready when nodes, the kinds of KWOK's
// objects and that server work.
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
			// KWOK takes stages when it starts, and only then. Starting again also
			// lets it look at the objects that exist with the new stages.
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
		EnablePodCache:                  true, // filled when a Metric is first asked for
	}
	return conf, connect(&conf, clients, restConfig)
}

// connect fills in the clients.
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

// Command node-network keeps the pod network of the node it runs on; see package nodenet. It runs as a pod on each
// node, in the node's own network, with the node's name in $NODE_NAME.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/clusterlab-dev/lab/e2e/testbed/inside/internal/nodenet"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "node-network:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	config, err := rest.InClusterConfig()
	if err != nil {
		return err
	}
	// Services have no addresses yet when the first node starts, so the API is reached as its nodes do.
	if endpoint := os.Getenv("CONTROL_PLANE_ENDPOINT"); endpoint != "" {
		config.Host = "https://" + endpoint
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	node := nodenet.Node{Name: os.Getenv("NODE_NAME"), Cluster: os.Getenv("CLUSTER_CIDR"), Dir: "/etc/cni/net.d", Log: os.Stderr}
	return node.Run(ctx, client)
}

// Command node-network maintains the pod network of its node; see package nodenet. It runs as a pod on each node, in
// the node's network, with kindnet's name and environment: $POD_SUBNET is the range of all pods' addresses, and
// $CONTROL_PLANE_ENDPOINT, if set, the address of the API before Services work.
package main

import (
	"context"
	"os"

	"github.com/clusterlab-dev/lab/e2e/testbed/inside/internal/incluster"
	"github.com/clusterlab-dev/lab/e2e/testbed/inside/internal/nodenet"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

func main() { os.Exit(incluster.Main("node-network", os.Stderr, run)) }

func run(ctx context.Context, config *rest.Config) error {
	if endpoint := os.Getenv("CONTROL_PLANE_ENDPOINT"); endpoint != "" {
		config.Host = "https://" + endpoint
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	name, err := os.Hostname() // the node's name, because the pod uses its network
	if err != nil {
		return err
	}
	node := nodenet.Node{Name: name, Cluster: os.Getenv("POD_SUBNET"), Dir: "/etc/cni/net.d", Log: os.Stderr}
	return node.Run(ctx, client)
}

// Command storage-provisioner creates volumes for claims in the test bed's clusters: directories of a node. It serves
// the provisioners of kind's and k3s's StorageClass (rancher.io/local-path) and of minikube's
// (k8s.io/minikube-hostpath). It replaces minikube's image, whose module does not work with current clients. It runs on
// each node and creates the volumes of that node; in minikube, it runs on one node, which has all volumes. A directory
// is removed with its node, not with its claim.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/clusterlab-dev/lab/e2e/testbed/inside/internal/incluster"
)

func main() { os.Exit(incluster.Main("storage-provisioner", os.Stderr, run)) }

func run(ctx context.Context, config *rest.Config) error {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	node := os.Getenv("NODE_NAME")
	if node == "" { // minikube's manifest does not set it, but gives the pod the name of the node
		if node, err = os.Hostname(); err != nil {
			return err
		}
	}
	factory := informers.NewSharedInformerFactory(client, time.Minute)
	p := provisioner{
		node: node, client: client, claims: factory.Core().V1().PersistentVolumeClaims().Lister(),
		volumes: factory.Core().V1().PersistentVolumes().Lister(), classes: factory.Storage().V1().StorageClasses().Lister(),
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	factory.WaitForCacheSync(ctx.Done())
	tick := time.NewTicker(500 * time.Millisecond) // reads only the caches of the listers
	defer tick.Stop()
	for {
		if err := p.serve(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "storage-provisioner:", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

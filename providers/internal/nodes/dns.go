package nodes

import (
	"context"
	"fmt"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// dnsPatch changes two settings of the Deployment that kubeadm creates for CoreDNS. The kubelet
// first asks CoreDNS whether it is ready at a random time within a period, and CoreDNS is not
// ready yet for its first second: with kubeadm's period of 10 seconds, DNS is ready 5 to 15
// seconds after it works.
const dnsPatch = `{"spec":{%s"template":{"spec":{"containers":[{"name":"coredns","readinessProbe":{"periodSeconds":1}}]}}}}`

// oneReplica is the number of replicas for a cluster with one node, where a second replica adds
// load, and no availability.
const oneReplica = `"replicas":1,`

// patchesWithin bounds the patch, for which the creation waits at its end.
const patchesWithin = 20 * time.Second

// QuickDNS has the kubelet ask CoreDNS every second whether it is ready, and runs one replica
// if the cluster has one node. It must be called as soon as kubeadm has created the Deployment,
// before its pods run. kubectl is the program in the node id, with the flags that it needs.
func QuickDNS(ctx context.Context, id string, nodes int, kubectl ...string) error {
	ctx, cancel := context.WithTimeout(ctx, patchesWithin)
	defer cancel()
	replicas := ""
	if nodes == 1 {
		replicas = oneReplica
	}
	return docker.Exec(ctx, id, nil, nil, append(kubectl, "--namespace=kube-system", "patch", "deployment", "coredns",
		"--patch="+fmt.Sprintf(dnsPatch, replicas))...)
}

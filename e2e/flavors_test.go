//go:build e2e && unix

package e2e

import (
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// flavor is what the tests must know of one whose nodes are containers.
type flavor struct {
	name    string
	node    func(cluster string) string // the container of its first node
	worker  func(cluster string) string // the container of its first worker, where it has one control plane
	network func(cluster string) string // the network that its containers are in
	port    int                         // the port of the cluster at which web answers
	web     func(name, image string) string

	// balancer returns the container of the load balancer before its nodes. It may be nil.
	balancer func(cluster string) string

	// left returns what there is of a cluster beside what the engine has. It may be nil.
	left func(t *testing.T, bed *bed, cluster string) []string

	// provider returns the adapter with the test bed's images, and a directory of its own.
	provider func(t *testing.T, bed *bed) providers.Provider

	// harness returns what the contract suite must know, complete but for what holds for all.
	harness func(t *testing.T, bed *bed) providertest.Harness

	// refused returns what lab refuses to make, or fails to, and what it says.
	refused func(t *testing.T, p *user) []refusal

	// asked returns a spec with much in it, and check checks that a cluster has it. A node is to be paused, and the
	// cluster stopped and started.
	asked func(t *testing.T) providers.Spec
	check func(t *testing.T, spec providers.Spec)
}

func flavors() []flavor { return []flavor{kindFlavor(), k3dFlavor(), minikubeFlavor()} }

// oneWillDo leaves out all flavors but one, with -short, where most of what is tested is the same for all. Which one is a
// matter of time: minikube's own tests take longest, and k3d's shortest.
func oneWillDo(t *testing.T, f flavor, one string) {
	t.Helper()
	if f.name != one {
		takesLong(t)
	}
}

// eachFlavor runs a test for each, under its name, with nothing of it left in the engine in the end.
func eachFlavor(t *testing.T, test func(t *testing.T, bed *bed, f flavor)) {
	for _, f := range flavors() {
		t.Run(f.name, func(t *testing.T) {
			bed := testbed(t) // compiles, so before anything that gives the test another home
			requireNoAnonymousVolume(t)
			test(t, bed, f)
		})
	}
}

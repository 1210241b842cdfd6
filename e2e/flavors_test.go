//go:build e2e && unix

package e2e

import (
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// flavor describes a flavor whose nodes are containers.
type flavor struct {
	name    string
	node    func(cluster string) string // the container of its first node
	worker  func(cluster string) string // the container of its first worker, if it has one control plane
	network func(cluster string) string // the network of its containers
	port    int                         // the port of the cluster at which web listens
	web     func(name, image string) string

	// balancer returns the container of the load balancer. It may be nil.
	balancer func(cluster string) string

	// left returns the files and directories of a cluster outside the engine. It may be nil.
	left func(t *testing.T, bed *bed, cluster string) []string

	// provider returns the adapter with the test bed's images and a new directory.
	provider func(t *testing.T, bed *bed) providers.Provider

	// harness returns the flavor's part of the harness of the contract suite.
	harness func(t *testing.T, bed *bed) providertest.Harness

	// refused returns creations that fail, with the expected errors.
	refused func(t *testing.T, p *user) []refusal

	// asked returns a spec with many settings, and check checks that a cluster has them.
	asked func(t *testing.T) providers.Spec
	check func(t *testing.T, spec providers.Spec)

	// bare sets the commands of the tool alone. publish makes them publish port 80 of the cluster at a port of the
	// host's loopback, and addWorker add a second node.
	bare      func(b *bed, c *cluster)
	publish   func(t *testing.T, c *cluster, port int)
	addWorker func(t *testing.T, c *cluster)
}

func flavors() []flavor { return []flavor{kindFlavor(), k3dFlavor(), minikubeFlavor()} }

// flavorOf returns the flavor with a name.
func flavorOf(t *testing.T, name string) flavor {
	t.Helper()
	for _, f := range flavors() {
		if f.name == name {
			return f
		}
	}
	t.Fatalf("no flavor %q", name)
	return flavor{}
}

// oneWillDo skips all flavors except one with -short, for tests of code that the flavors share. The flavor is the one
// whose test is fast: minikube's tests are the slowest, k3d's the fastest.
func oneWillDo(t *testing.T, f flavor, one string) {
	t.Helper()
	if f.name != one {
		takesLong(t)
	}
}

// eachFlavor runs a test for each flavor as a subtest. The subtest fails if anonymous volumes are left in the engine.
func eachFlavor(t *testing.T, test func(t *testing.T, bed *bed, f flavor)) {
	for _, f := range flavors() {
		t.Run(f.name, func(t *testing.T) {
			bed := testbed(t) // compiles, so it needs the original home directory
			requireNoAnonymousVolume(t)
			test(t, bed, f)
		})
	}
}

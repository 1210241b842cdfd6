package providertest_test

import (
	"context"
	"fmt"
	"os"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// Two fakes on one machine are two processes that use the same tool.
func ExampleNewFake() {
	dir, err := os.MkdirTemp("", "machine")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	machine := providertest.Machine(dir)
	kind := providertest.NewFake(machine, providertest.FakeOptions{Name: "kind"})
	another := providertest.NewFake(machine, providertest.FakeOptions{Name: "kind"})

	ctx := context.Background()
	fmt.Println(kind.Create(ctx, providers.Spec{Name: "demo"}, nil))
	fmt.Println(another.Create(ctx, providers.Spec{Name: "demo"}, nil))
	fmt.Println(machine.Break("demo"))
	clusters, err := another.List(ctx)
	fmt.Println(clusters[0].State, clusters[0].Reason, err)
	fmt.Println(kind.Delete(ctx, providers.Ref{Name: "demo"}), machine.Leaks("demo"))
	// Output:
	// <nil>
	// cluster "demo" already exists
	// <nil>
	// degraded its engine is gone <nil>
	// <nil> []
}

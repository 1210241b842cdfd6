package addontest

import (
	"testing"

	"github.com/clusterlab-dev/lab/addons"
)

// Harness is an installer under test, and its cluster.
type Harness struct {
	Installer addons.Installer
	Cluster   addons.Cluster
	Large     int // the size of a large definition in bytes; annotations hold 262,144

	// Read returns the text of an object of the cluster, and whether it exists.
	Read func(t *testing.T, o addons.Object) (text string, there bool)
	// Make and Delete change an object as another program would.
	Make   func(t *testing.T, manifest string)
	Delete func(t *testing.T, o addons.Object)
	// Disown changes a release as if another program had installed it.
	Disown func(t *testing.T, addon, namespace string)
}

// Run checks that an installer keeps the contract of [addons.Installer].
func Run(t *testing.T, h Harness) {
	for name, rule := range map[string]func(Harness, *testing.T){
		"installs":              Harness.installs,
		"no change":             Harness.noChange,
		"other values":          Harness.otherValues,
		"another chart":         Harness.anotherChart,
		"a lost object":         Harness.lostObject,
		"secrets":               Harness.secrets,
		"definitions":           Harness.definitions,
		"definitions of others": Harness.othersDefinitions,
		"repairs a failure":     Harness.repairsFailure,
		"an upgrade that fails": Harness.upgradeFails,
		"leftovers of failures": Harness.leftoversOfFailures,
		"cancelled":             Harness.cancelled,
		"cancelled before":      Harness.cancelledBefore,
		"foreign releases":      Harness.foreign,
		"preview":               Harness.preview,
		"stale":                 Harness.stale,
		"removes":               Harness.removes,
		"keeps":                 Harness.keeps,
		"keeps namespaces":      Harness.keepsNamespaces,
		"namespaces of others":  Harness.othersNamespaces,
		"copied namespaces":     Harness.copiedNamespaces,
		"shared namespaces":     Harness.sharedNamespaces,
		"hooks":                 Harness.hooks,
		"leftovers":             Harness.leftovers,
		"replaced objects":      Harness.replaced,
		"shared definitions":    Harness.sharedDefinitions,
		"chart's definitions":   Harness.chartsDefinitions,
		"unknown":               Harness.unknown,
		"a broken chart":        Harness.brokenChart,
		"concurrently":          Harness.concurrently,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule(h, t)
		})
	}
}

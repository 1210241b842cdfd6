package addontest

import (
	"testing"

	"github.com/clusterlab-dev/lab/addons"
)

// Harness is an installer under test, on a cluster of its own.
type Harness struct {
	Installer addons.Installer
	Cluster   addons.Cluster
	Large     int // bytes in a definition that is to be large; annotations hold 262,144

	// Read returns the text of an object of the cluster, and whether it is there.
	Read func(t *testing.T, o addons.Object) (text string, there bool)
	// Make and Delete change an object as somebody else would who knows nothing of lab.
	Make   func(t *testing.T, manifest string)
	Delete func(t *testing.T, o addons.Object)
	// Disown makes a release look as if somebody else had installed it.
	Disown func(t *testing.T, addon, namespace string)
}

// Run checks that an installer keeps the contract of [addons.Installer].
func Run(t *testing.T, h Harness) {
	for name, rule := range map[string]func(Harness, *testing.T){
		"installs":              Harness.installs,
		"nothing to do":         Harness.nothingToDo,
		"other values":          Harness.otherValues,
		"another chart":         Harness.anotherChart,
		"a lost object":         Harness.lostObject,
		"secrets":               Harness.secrets,
		"definitions":           Harness.definitions,
		"definitions of others": Harness.othersDefinitions,
		"fails and is mended":   Harness.failsAndMends,
		"an upgrade that fails": Harness.upgradeFails,
		"remains of failures":   Harness.remains,
		"cancelled":             Harness.cancelled,
		"cancelled before":      Harness.cancelledBefore,
		"somebody else's":       Harness.foreign,
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
		"side by side":          Harness.sideBySide,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rule(h, t)
		})
	}
}

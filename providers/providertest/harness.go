package providertest

import (
	"cmp"
	"context"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

// Harness says how to test one provider. New and Leaks are required. Rules that
// need a hook which is nil are skipped, and the log says so.
type Harness struct {
	// New returns the provider as another process would create it: it must not share memory
	// with earlier ones.
	New func() providers.Provider

	// Leaks returns what is left of the cluster on the machine: processes, containers,
	// networks, volumes, files.
	Leaks func(t *testing.T, name string) []string

	Spec    providers.Spec // what to create; the suite fills in Name
	Prefix  string         // of the clusters' names, at most 20 characters; "" means "contract"
	Cannot  []Ability      // the optional abilities that the provider does not have
	Timeout time.Duration  // for one call; 0 means a minute
	Slow    bool           // a Create takes long: use fewer of them

	// Invalid and Unsupported are changes to Spec, by what they ask for, that Create
	// must refuse with ErrInvalid or ErrUnsupported.
	Invalid, Unsupported map[string]func(spec *providers.Spec)

	// Failures have the Create of spec fail after it has begun, by their cause. They may change
	// spec, and revert the rest in t.Cleanup.
	Failures map[string]func(t *testing.T, spec *providers.Spec)

	// Unavailable is the provider with a tool that is missing or not running.
	Unavailable providers.Provider

	// Archive is the path of an image archive that clusters can load.
	Archive string

	// Image is the name of an image of this machine's engine.
	Image string

	// Context returns the tool's name of a cluster's context.
	Context func(name string) string

	// Probe returns nil if the API server of a kubeconfig answers; see [AskVersion].
	Probe func(ctx context.Context, kubeconfig []byte) error

	// Break kills the engine or a node of the running cluster, as another program would.
	Break func(t *testing.T, name string)

	// HalfMade leaves what a crash in the middle of the Create of spec leaves.
	HalfMade func(t *testing.T, spec providers.Spec)

	// Foreign creates a running cluster with the tool itself.
	Foreign func(t *testing.T, name string)

	// LoseID removes what the ID of the cluster is read from, as another program would: its
	// first node, a file. LoseMark then does so for its mark.
	LoseID, LoseMark func(t *testing.T, name string)

	// Replace deletes the cluster and creates another of its name, without the mark.
	Replace func(t *testing.T, name string)

	// Goroutines are functions whose goroutines may outlive a cancelled Create,
	// besides the idle connections of net/http.
	Goroutines []string
}

func (h Harness) withDefaults(t *testing.T) Harness {
	if h.New == nil || h.Leaks == nil {
		t.Fatal("a Harness needs New and Leaks")
	}
	h.Spec = h.Spec.WithDefaults() // as Set does
	h.Prefix = cmp.Or(h.Prefix, "contract")
	h.Timeout = cmp.Or(h.Timeout, time.Minute)
	h.Goroutines = append([]string{"net/http.(*persistConn)"}, h.Goroutines...)
	// The log must show what is not checked.
	for hook, missing := range map[string]bool{
		"Invalid": h.Invalid == nil, "Unsupported": h.Unsupported == nil, "Failures": h.Failures == nil,
		"Unavailable": h.Unavailable == nil, "Archive": h.Archive == "", "Image": h.Image == "", "Context": h.Context == nil,
		"Probe": h.Probe == nil, "Break": h.Break == nil, "HalfMade": h.HalfMade == nil, "Foreign": h.Foreign == nil,
		"LoseID": h.LoseID == nil, "LoseMark": h.LoseMark == nil, "Replace": h.Replace == nil,
	} {
		if missing {
			t.Logf("the harness has no %s: rules that need it are skipped", hook)
		}
	}
	return h
}

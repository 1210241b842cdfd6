package providertest

import (
	"cmp"
	"context"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

// Harness says how to test one provider. New and Leaks are required. A hook that is
// nil takes the rules that need it out of the suite, which says so in its log.
type Harness struct {
	// New returns the provider as another process would have it: it must not share
	// memory with the ones returned before.
	New func() providers.Provider

	// Leaks returns what the machine still has of the cluster: processes,
	// containers, networks, volumes, files.
	Leaks func(t *testing.T, name string) []string

	Spec    providers.Spec // what to create; the suite fills in Name
	Prefix  string         // of the clusters' names, at most 20 characters; "" means "contract"
	Cannot  []Ability      // the optional abilities that the provider does not have
	Timeout time.Duration  // for one call; 0 means a minute
	Slow    bool           // a Create takes long: do with fewer of them

	// Invalid and Unsupported are changes to Spec, by what they ask for, that Create
	// must refuse with ErrInvalid or ErrUnsupported.
	Invalid, Unsupported map[string]func(spec *providers.Spec)

	// Failures arrange, by their cause, that the Create of spec fails after it has
	// begun; they may change spec, and undo the rest in t.Cleanup.
	Failures map[string]func(t *testing.T, spec *providers.Spec)

	// Unavailable is the provider where its tool is missing or not running.
	Unavailable providers.Provider

	// Archive is the path of an image archive that the clusters can load.
	Archive string

	// Image is the name of an image that this machine's own engine has.
	Image string

	// Context returns the name that the tool's users know a cluster's context by.
	Context func(name string) string

	// Probe returns nil if the API server of a kubeconfig answers; see [AskVersion].
	Probe func(ctx context.Context, kubeconfig []byte) error

	// Break kills the engine or a node of the running cluster behind lab's back.
	Break func(t *testing.T, name string)

	// HalfMade leaves what a crash in the middle of the Create of spec leaves.
	HalfMade func(t *testing.T, spec providers.Spec)

	// Foreign makes a running cluster with the tool itself.
	Foreign func(t *testing.T, name string)

	// LoseID takes from the cluster what its ID is read from, behind lab's back: its first
	// node, a file. LoseMark then does so with its mark.
	LoseID, LoseMark func(t *testing.T, name string)

	// Replace removes the cluster and makes another of its name, without the mark.
	Replace func(t *testing.T, name string)

	// Goroutines are functions whose goroutines may outlive a cancelled Create,
	// besides the idle connections of net/http.
	Goroutines []string
}

func (h Harness) withDefaults(t *testing.T) Harness {
	if h.New == nil || h.Leaks == nil {
		t.Fatal("a Harness needs New and Leaks")
	}
	h.Spec = h.Spec.WithDefaults() // as Set hands it over
	h.Prefix = cmp.Or(h.Prefix, "contract")
	h.Timeout = cmp.Or(h.Timeout, time.Minute)
	h.Goroutines = append([]string{"net/http.(*persistConn)"}, h.Goroutines...)
	// What is not checked must be seen by whoever reads the log.
	for hook, missing := range map[string]bool{
		"Invalid": h.Invalid == nil, "Unsupported": h.Unsupported == nil, "Failures": h.Failures == nil,
		"Unavailable": h.Unavailable == nil, "Archive": h.Archive == "", "Image": h.Image == "", "Context": h.Context == nil,
		"Probe": h.Probe == nil, "Break": h.Break == nil, "HalfMade": h.HalfMade == nil, "Foreign": h.Foreign == nil,
		"LoseID": h.LoseID == nil, "LoseMark": h.LoseMark == nil, "Replace": h.Replace == nil,
	} {
		if missing {
			t.Logf("the harness has no %s: the rules that need it are not checked", hook)
		}
	}
	return h
}

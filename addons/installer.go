package addons

import (
	"context"
	"slices"

	"github.com/clusterlab-dev/lab/providers"
)

// Archive is a chart at hand: a gzipped tar, as `helm package` writes it.
type Archive struct {
	Digest string // "sha256:…" of its content: equal digests are equal charts
	Data   []byte
}

// Source brings charts to this machine.
type Source interface {
	// Chart returns the chart. It returns ErrNotFound where its source has none of that
	// name and version, ErrForeign where what is there now is not what was there when it
	// was seen first, and ErrUnavailable where the source cannot be reached.
	Chart(ctx context.Context, c Chart) (Archive, error)
}

// Cluster is what those who work on a cluster need to know of it.
type Cluster struct {
	Kubeconfig []byte
	Traits     providers.Traits
	Ports      []providers.Port // published on the host
}

// Release is an addon as it is to be in a cluster.
type Release struct {
	Addon  Addon
	Chart  Archive
	Values Values
}

// State is how far an addon has come.
type State string

// The states of an addon. They are part of lab's JSON output.
const (
	StatePending    State = "pending"    // asked for, and not begun
	StateInstalling State = "installing" // its chart is applied, it does not work yet
	StateReady      State = "ready"
	StateFailed     State = "failed"
	StateRemoving   State = "removing" // its removal began and is not complete
)

// Installed is an addon as it is in a cluster.
type Installed struct {
	Name      string
	Namespace string
	Version   string // of the chart
	App       string // version of what is in it; may be empty
	Revision  int    // grows with each change
	State     State  // installing, until it was applied completely, then ready; failed
	Reason    string // why it failed
	Objects   []Object
}

// Has tells whether the addon has an object of that name, of whatever kind.
func (i Installed) Has(name string) bool {
	return slices.ContainsFunc(i.Objects, func(o Object) bool { return o.Name == name })
}

// Change is what an installation would do to one object.
type Change struct {
	Verb   string `json:"verb"` // "add", "change" or "remove"
	Object Object `json:"object"`
}

// Installer puts charts into clusters. Implementations are safe for concurrent use on
// different addons, never print, and stop when ctx ends: nothing goes on in the
// background. An error bears the cluster's own reason.
type Installer interface {
	// List returns the addons in the cluster that lab installed.
	List(ctx context.Context, c Cluster) ([]Installed, error)

	// Define brings the custom resource definitions of the chart to the cluster, new
	// ones and new versions of old ones, and returns once they can be used. It never
	// changes a definition that lab did not create or that another addon has, too: it
	// returns those that differ from the chart's.
	Define(ctx context.Context, c Cluster, r Release) (kept []Kept, err error)

	// Install brings the addon to what r says, and goes on with what an interrupted
	// call left. It does not wait until the addon works. Where all is as asked it does
	// nothing, and the revision stays. It returns ErrForeign where the cluster has a
	// release of that name that lab did not install. moved may be nil.
	Install(ctx context.Context, c Cluster, r Release, moved func(string)) (Installed, error)

	// Check returns ErrInvalid where the chart cannot be installed with these values on any
	// cluster: it is damaged, lacks a dependency, has an invalid template, or its schema
	// refuses the values. It asks no cluster.
	Check(r Release) error

	// Stale returns why Install would change the addon, or "" if Install would do nothing.
	// Of the chart it needs only the digest.
	Stale(ctx context.Context, c Cluster, r Release) (reason string, err error)

	// Preview returns what Install would change, and changes nothing.
	Preview(ctx context.Context, c Cluster, r Release) ([]Change, error)

	// Remove removes the addon from the cluster, and resumes an interrupted removal. It
	// deletes only what was created for the addon. What other objects depend on stays: a
	// namespace with objects in it, a definition that has objects or another owner.
	// Remove returns what it kept and why, also with an error. It returns ErrNotFound
	// where the cluster has no such addon, and ErrForeign as Install does.
	Remove(ctx context.Context, c Cluster, a Addon, moved func(string)) (kept []Kept, err error)
}

// Kept is an object of a cluster that was left as it is, and why.
type Kept struct {
	Object Object `json:"object"`
	Reason string `json:"reason"`
	Own    bool   `json:"-"` // it was created for the addon, and no other addon or release uses it
}

// Checker tells whether addons work.
type Checker interface {
	// Wait returns once the addon works. moved, which may be nil, is told what is being
	// waited for. When ctx ends, or a job has failed for good, it returns an
	// error that says why the addon does not work, in the cluster's own words.
	Wait(ctx context.Context, c Cluster, a Addon, in Installed, moved func(string)) error

	// Look returns what is missing until the addon works, or "", without waiting.
	Look(ctx context.Context, c Cluster, a Addon, in Installed) (missing string, err error)

	// Ingress tells whether an ingress controller, whoever installed it, serves the
	// published port of the cluster.
	Ingress(ctx context.Context, c Cluster, port int) (bool, error)

	// Forward makes a port of a Service reachable on this machine, at the address that
	// it passes to ready, until ctx ends.
	Forward(ctx context.Context, c Cluster, namespace string, to Endpoint, ready func(address string)) error

	// Credentials returns the name and the password that a Secret of the cluster holds.
	Credentials(ctx context.Context, c Cluster, namespace string, where Credentials) (user, password string, err error)
}

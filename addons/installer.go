package addons

import (
	"context"
	"slices"

	"github.com/clusterlab-dev/lab/providers"
)

// Archive is the content of a chart: a gzipped tar, as `helm package` writes it.
type Archive struct {
	Digest string // "sha256:…" of its content: equal digests are equal charts
	Data   []byte
}

// Source reads charts.
type Source interface {
	// Chart returns the chart. It returns ErrNotFound if the source has no chart of that name and
	// version, ErrForeign if its content differs from the first download, and ErrUnavailable if the
	// source cannot be reached.
	Chart(ctx context.Context, c Chart) (Archive, error)
}

// Cluster is the access to a cluster, and its properties.
type Cluster struct {
	Kubeconfig []byte
	Traits     providers.Traits
	Ports      []providers.Port // published on the host
}

// Release is an addon with the chart and the values to install.
type Release struct {
	Addon  Addon
	Chart  Archive
	Values Values
}

// State is the state of an addon.
type State string

// The states of an addon. They are part of lab's JSON output.
const (
	StatePending    State = "pending"    // requested; the installation has not started
	StateInstalling State = "installing" // its chart is applied; it does not work yet
	StateReady      State = "ready"
	StateFailed     State = "failed"
	StateRemoving   State = "removing" // its removal began and is not complete
)

// Installed is an addon in a cluster.
type Installed struct {
	Name      string
	Namespace string
	Version   string // of the chart
	App       string // version of the software in the chart; may be empty
	Revision  int    // grows with each change
	State     State  // installing until it is applied completely, then ready; or failed
	Reason    string // why it failed
	Objects   []Object
}

// Has reports whether the addon has an object of that name, of any kind.
func (i Installed) Has(name string) bool {
	return slices.ContainsFunc(i.Objects, func(o Object) bool { return o.Name == name })
}

// Change is the effect of an installation on one object.
type Change struct {
	Verb   string `json:"verb"` // "add", "change" or "remove"
	Object Object `json:"object"`
}

// HookError is the failure of a hook of a chart.
type HookError struct{ Err error }

func (e *HookError) Error() string { return e.Err.Error() }
func (e *HookError) Unwrap() error { return e.Err }

// Installer installs charts in clusters. Implementations are safe for concurrent use on different
// addons, never print, and stop when ctx ends: nothing continues in the background. Errors contain
// the cluster's own reason.
type Installer interface {
	// List returns the addons in the cluster that lab installed.
	List(ctx context.Context, c Cluster) ([]Installed, error)

	// Define creates and updates the custom resource definitions of the chart, and returns when the
	// API server serves them. It never changes a definition that lab did not create or that another
	// addon has, too: it returns those that differ from the chart's.
	Define(ctx context.Context, c Cluster, r Release) (kept []Kept, err error)

	// Install installs or updates the addon to match r, and resumes an interrupted call. It does not
	// wait until the addon works. If the addon matches, it does nothing, and the revision stays the
	// same. It returns ErrForeign if the cluster has a release of that name that lab did not install.
	// moved, which may be nil, receives progress.
	Install(ctx context.Context, c Cluster, r Release, moved func(string)) (Installed, error)

	// Check returns ErrInvalid if the chart cannot be installed with these values in any cluster of a version of
	// Kubernetes, "" if that is unknown: it is damaged, lacks a dependency, requires another version, has an invalid
	// template, its schema rejects the values, or a template fails before it asks for properties of the cluster. It
	// sends no requests.
	Check(r Release, kubernetes string) error

	// Stale returns why Install would change the addon, or "" if Install would do nothing.
	// It reads only the digest of the chart.
	Stale(ctx context.Context, c Cluster, r Release) (reason string, err error)

	// Preview returns what Install would change, and changes nothing.
	Preview(ctx context.Context, c Cluster, r Release) ([]Change, error)

	// Remove removes the addon from the cluster, and resumes an interrupted removal. It
	// deletes only what was created for the addon. What other objects depend on stays: a
	// namespace with objects in it, a definition that has objects or another owner.
	// Remove returns what it kept and why, also with an error. It returns ErrNotFound
	// if the cluster has no such addon, ErrForeign as Install does, and a [HookError] if a hook of the
	// chart prevents the removal.
	Remove(ctx context.Context, c Cluster, a Addon, moved func(string)) (kept []Kept, err error)
}

// Kept is an object of a cluster that was left as it is, and why.
type Kept struct {
	Object Object `json:"object"`
	Reason string `json:"reason"`
	Own    bool   `json:"-"` // it was created for the addon, and no other addon or release uses it
}

// Checker checks whether addons work.
type Checker interface {
	// Wait returns when the addon works. moved, which may be nil, receives what Wait waits for. If ctx
	// ends, or a job failed permanently, it returns an error with the cluster's own reason.
	Wait(ctx context.Context, c Cluster, a Addon, in Installed, moved func(string)) error

	// Look says what is missing until the addon works, or returns "". It does not wait.
	Look(ctx context.Context, c Cluster, a Addon, in Installed) (missing string, err error)

	// Ingress reports whether any ingress controller serves the published port of the cluster.
	Ingress(ctx context.Context, c Cluster, port int) (bool, error)

	// Forward forwards a local port to a port of a Service until ctx ends, and passes its address to
	// ready.
	Forward(ctx context.Context, c Cluster, namespace string, to Endpoint, ready func(address string)) error

	// Credentials returns the user name and the password from a Secret of the cluster.
	Credentials(ctx context.Context, c Cluster, namespace string, where Credentials) (user, password string, err error)
}

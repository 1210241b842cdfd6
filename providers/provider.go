package providers

import (
	"context"

	"github.com/clusterlab-dev/lab/providers/event"
)

// Provider creates and removes clusters with one tool.
//
// Implementations are safe for concurrent use on different names (calls for one
// name are serialized by the caller), never print, never exit, and never touch
// the user's kubeconfig. A method that stops because ctx ended returns an error
// that Is ctx.Err(). No event comes once a method has returned, and every step that
// started has ended by then. Errors wrap one of this package's Err… values
// where one applies, carry the tool's own words, and bear a hint (see [fault.WithHint])
// where a command mends the cause. They need not repeat the operation or the
// cluster's name: [Set] adds both.
type Provider interface {
	// Name is the flavor as a person types it: lower case and stable.
	Name() string

	// Describe says what the flavor offers. It touches nothing.
	Describe() Description

	// Traits tells what a cluster made from spec offers to addons. It touches
	// nothing, and is recorded with the cluster, so that it holds for the
	// cluster's whole life.
	Traits(spec Spec) Traits

	// Check returns nil when the tool could make a cluster from spec on this machine
	// now, its engine running and its images to be had, else an error that wraps
	// ErrUnavailable and whose hint mends it. The zero Spec asks for nothing special.
	Check(ctx context.Context, spec Spec) error

	// Create makes the cluster and returns once its API server has answered;
	// nodes and DNS may still be on their way. spec has been through
	// [Spec.WithDefaults] and [Spec.Validate]. It returns ErrExists where the tool
	// has a cluster of that name, in whatever state and whoever made it; ErrInvalid
	// or ErrUnsupported, before any side effect, where spec cannot be had. On any
	// error, and when ctx ends before it returns, even if the work was all but done,
	// it leaves nothing behind: no process, container, network, volume or file.
	Create(ctx context.Context, spec Spec, report event.Reporter) error

	// Delete removes the cluster, in whatever state, with all that belongs to it: exactly
	// the objects that one listing shows to be ref's, by their own IDs. An object of
	// another cluster stays, whatever its name. Delete returns ErrNotFound where there is
	// nothing of the cluster, and then removes what a Create or a Delete that was cut short
	// has left where List does not see it; ErrForeign where another cluster has the name;
	// and ErrUnavailable where it cannot tell whose the cluster is. See [Ref.Check]. A
	// Delete that failed half-way can be called again.
	Delete(ctx context.Context, ref Ref) error

	// List returns every cluster that the tool has on this machine, whoever made
	// it, half-made ones included, in any order.
	List(ctx context.Context) ([]Cluster, error)

	// Kubeconfig returns a self-contained kubeconfig of the cluster: one cluster, user
	// and context, the context current and named as the tool's users know it, keys
	// and certificates inside. It works on a stopped cluster too. After a stop and a
	// start the server's port may be another; the CA and the names stay. It returns
	// ErrNotFound where there is no such cluster. As all methods that take a Ref, it
	// touches nothing that is another cluster's, and returns the errors of [Ref.Check].
	Kubeconfig(ctx context.Context, ref Ref) ([]byte, error)

	// Entries returns the names of the entries in the kubeconfig of the cluster, which need
	// not exist. It touches nothing.
	Entries(name string) Entries
}

// Entries are the names of the three entries of one cluster in a kubeconfig.
type Entries struct{ Cluster, User, Context string }

// Validator is implemented by providers that can tell that Create would refuse a spec.
type Validator interface {
	// Validate returns the ErrInvalid or ErrUnsupported that Create would return for what
	// spec says, which has been through [Spec.WithDefaults] and [Spec.Validate]. It reads
	// the files that spec names, and asks neither a tool nor the network.
	Validate(spec Spec) error
}

// NotLocal is the error of a check that is to stay offline for a node image that the
// creation would pull.
type NotLocal struct{ Image string }

func (e *NotLocal) Error() string { return "the node image " + e.Image + " must be pulled" }

// StartStopper is implemented by providers whose clusters can be stopped and
// started again with everything in them.
type StartStopper interface {
	// Start returns once the API server has answered, repairing what a crash or a
	// restart of the machine left. On a running, healthy cluster it does nothing.
	Start(ctx context.Context, ref Ref, report event.Reporter) error

	// Stop frees the machine and keeps the cluster. On a stopped one it does
	// nothing.
	Stop(ctx context.Context, ref Ref) error
}

// Remover is implemented by providers that know how a person deletes one of their clusters
// without lab.
type Remover interface {
	// RemoveCommand returns a command line for a POSIX shell that deletes the cluster name.
	RemoveCommand(name string) string
}

// ImageLoader is implemented by providers whose clusters can run images that
// never were in a registry.
type ImageLoader interface {
	// LoadImages puts the images of an archive, as `docker save` writes it, into
	// every node. It takes a path because each node reads the archive anew.
	LoadImages(ctx context.Context, ref Ref, archive string) error

	// SaveImages writes images that this machine's own engine has, by name, into an
	// archive that LoadImages takes. It returns ErrNotFound where the engine has one of
	// them not, and leaves no archive on error.
	SaveImages(ctx context.Context, images []string, archive string) error
}

// LogExporter is implemented by providers that keep logs of the cluster's parts.
type LogExporter interface {
	// ExportLogs writes whatever logs there are into dir, which exists. It works
	// on stopped and on half-made clusters too.
	ExportLogs(ctx context.Context, ref Ref, dir string) error
}

// Description says what a flavor offers, in words for the comparison that
// `lab flavors` prints. An empty field means "does not apply".
type Description struct {
	Summary      string `json:"summary"`            // one line: what it is
	Nodes        string `json:"nodes"`              // how nodes are made
	Runtime      string `json:"runtime"`            // what runs the pods
	CNI          string `json:"cni"`                // the network plugin
	Mounts       string `json:"mounts"`             // host directories in nodes
	Addons       string `json:"addons"`             // what the tool itself brings along
	Unprivileged string `json:"unprivileged"`       // use without root
	Vanilla      bool   `json:"vanilla"`            // Kubernetes as upstream releases it
	Homepage     string `json:"homepage,omitempty"` // where to read on
	Tools        []Tool `json:"-"`                  // what doctor looks for on this machine
}

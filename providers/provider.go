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
// started has ended by then. Errors wrap an Err… value of package fault
// if one applies, contain the tool's own words, and have a hint (see [fault.WithHint])
// if a command fixes the cause. They need not repeat the operation or the
// cluster's name: [Set] adds both.
type Provider interface {
	// Name returns the flavor as users type it: lower case and stable.
	Name() string

	// Describe returns what the flavor offers. It has no side effects.
	Describe() Description

	// Traits returns what a cluster created from spec offers to addons. It has no side effects.
	// The result is recorded with the cluster, so it holds for the cluster's whole life.
	Traits(spec Spec) Traits

	// Check returns nil if the tool could create a cluster from spec on this machine now: its
	// engine runs, and its images are available. Otherwise it returns an error that wraps
	// ErrUnavailable, with a hint that fixes the cause. The zero Spec requests nothing special.
	Check(ctx context.Context, spec Spec) error

	// Create creates a cluster and returns once its API server has answered; nodes and DNS may
	// not be ready yet. spec has been through [Spec.WithDefaults] and [Spec.Validate]. Create
	// returns ErrExists if the tool has a cluster of that name, in any state and of any owner.
	// It returns ErrInvalid or ErrUnsupported, before any side effect, if it cannot create what
	// spec requests. On any error, and when ctx ends before it returns, it leaves nothing
	// behind: no process, container, network, volume or file.
	Create(ctx context.Context, spec Spec, report event.Reporter) error

	// Delete deletes a cluster, in any state, with everything that belongs to it: exactly the
	// objects that one listing shows to be ref's, by their IDs. An object of another cluster
	// stays, whatever its name. Delete returns ErrNotFound if nothing of the cluster exists,
	// after it has removed leftovers of an interrupted Create or Delete that List does not
	// show; ErrForeign if another cluster has the name; and ErrUnavailable if it cannot
	// determine the owner. See [Ref.Check]. A Delete that failed half-way can be called again.
	Delete(ctx context.Context, ref Ref) error

	// List returns every cluster that the tool has on this machine, of any owner and including
	// incomplete ones, in any order.
	List(ctx context.Context) ([]Cluster, error)

	// Kubeconfig returns a self-contained kubeconfig of the cluster: one cluster, user and
	// context; the context is current and has the name that the tool gives it; keys and
	// certificates are inside. It works on a stopped cluster, too. The server's port may change
	// with a stop and a start; the CA and the names do not. It returns ErrNotFound if the
	// cluster does not exist. Like all methods that take a Ref, it touches nothing of another
	// cluster, and returns the errors of [Ref.Check].
	Kubeconfig(ctx context.Context, ref Ref) ([]byte, error)

	// Entries returns the names of the entries in the kubeconfig of the cluster, which need
	// not exist. It touches nothing.
	Entries(name string) Entries
}

// Entries returns the names of the entries in the kubeconfig of the cluster, which need not
// exist. It has no side effects.
type Entries struct{ Cluster, User, Context string }

// Validator is implemented by providers that can determine, without a tool, that Create would
// refuse a spec.
type Validator interface {
	// Validate returns the ErrInvalid or ErrUnsupported that Create would return for spec,
	// which has been through [Spec.WithDefaults] and [Spec.Validate]. It reads the files that
	// spec names, and asks neither a tool nor the network.
	Validate(spec Spec) error
}

// NotLocal is the error of an offline check for a node image that the creation would have to
// pull.
type NotLocal struct{ Image string }

func (e *NotLocal) Error() string { return "the node image " + e.Image + " must be pulled" }

// StartStopper is implemented by providers whose clusters can be stopped and
// started again with everything in them.
type StartStopper interface {
	// Start returns once the API server has answered. It repairs what a crash or a restart of
	// the machine left. On a running, healthy cluster it does nothing.
	Start(ctx context.Context, ref Ref, report event.Reporter) error

	// Stop stops the cluster and keeps everything in it. On a stopped cluster it does nothing.
	Stop(ctx context.Context, ref Ref) error
}

// Remover is implemented by providers whose clusters users can delete without lab.
type Remover interface {
	// RemoveCommand returns a command line for a POSIX shell that deletes the cluster name.
	RemoveCommand(name string) string
}

// ImageLoader is implemented by providers whose clusters can run images that are in no
// registry.
type ImageLoader interface {
	// LoadImages loads the images of an archive, as `docker save` writes it, into every node.
	// It takes a path because each node reads the archive again.
	LoadImages(ctx context.Context, ref Ref, archive string) error

	// SaveImages writes images of this machine's engine, by name, into an archive for
	// LoadImages. It returns ErrNotFound if the engine lacks one of them, and leaves no archive
	// on error.
	SaveImages(ctx context.Context, images []string, archive string) error
}

// LogExporter is implemented by providers that keep logs of the cluster's parts.
type LogExporter interface {
	// ExportLogs writes the available logs into dir, which exists. It works on stopped and on
	// incomplete clusters, too.
	ExportLogs(ctx context.Context, ref Ref, dir string) error
}

// Description describes a flavor for the comparison that `lab flavors` prints. An empty field
// means "does not apply".
type Description struct {
	Summary      string `json:"summary"`            // one line: what it is
	Nodes        string `json:"nodes"`              // what a node is
	Runtime      string `json:"runtime"`            // what runs the pods
	CNI          string `json:"cni"`                // the network plugin
	Mounts       string `json:"mounts"`             // host directories in nodes
	Addons       string `json:"addons"`             // what the tool bundles
	Unprivileged string `json:"unprivileged"`       // use without root
	Vanilla      bool   `json:"vanilla"`            // Kubernetes as upstream releases it
	Homepage     string `json:"homepage,omitempty"` // the website of the tool
	Tools        []Tool `json:"-"`                  // what doctor looks for on this machine
}

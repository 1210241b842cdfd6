// Package probe asks the API server of a cluster whether the cluster works: does the server answer, are
// the nodes ready, can pods resolve names. It is the same for every flavor, and uses only what a user
// of the cluster sees.
package probe

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	// interval is short because most waits are short. The load on a local API server is small.
	interval = 100 * time.Millisecond

	// standard is the timeout of one request. A local API server that takes longer hangs, and may
	// answer the next request.
	standard = 10 * time.Second

	// certain is how long a permanent error must last before it ends a wait: a starting server
	// may give the same error for a moment.
	certain = 2 * time.Second

	// comesWithin is how long a new cluster may be without DNS before DNS counts as not installed: k3s
	// applies its manifests some seconds after its API server answers.
	comesWithin = 30 * time.Second

	// registersWithin is how long a node may take to register after it began to run. A node registers
	// only when it starts: not after its Node object was deleted.
	registersWithin = 2 * time.Minute
)

// Want is what Wait waits for.
type Want struct {
	Nodes   int               // nodes that must be registered and ready; 0: only the API server must answer
	Names   []string          // of these nodes, if their tool knows them
	DNS     bool              // whether pods must be able to resolve names
	Without providers.Without // components that the cluster was created without; they are not waited for
	Settled bool              // the cluster was ready before: what is missing now does not come by itself

	// Since is when nodes began to run, by name. Earlier reports do not count: after a stop and a
	// start, the API server reports a node as ready until it misses it, most of a minute later.
	Since map[string]time.Time
}

// Report is the state of a cluster at one time.
type Report struct {
	Nodes  []Node
	Lacks  error    // what is not as wanted, and why; nil if everything is. Its hint is the fix
	Absent []string // components that are not installed and not waited for

	final bool // waiting does not end Lacks
	noDNS bool // Lacks is that no DNS is installed
}

// NodesGone is the error of nodes whose Node objects were deleted while the nodes still run.
type NodesGone struct{ Names []string }

// Error names the nodes.
func (g *NodesGone) Error() string {
	if len(g.Names) == 1 {
		return fmt.Sprintf("node %s is missing: its Node object was deleted", g.Names[0])
	}
	return fmt.Sprintf("%d nodes are missing: their Node objects were deleted (%s)", len(g.Names), strings.Join(g.Names, ", "))
}

// API asks API servers.
type API struct {
	patience time.Duration // timeout of one request; 0 means standard
	comes    time.Duration // 0 means comesWithin
}

// bound limits the time of one request.
func (a API) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, cmp.Or(a.patience, standard))
}

// Wait returns nil once the cluster is as wanted. It passes to moved, which may be nil, what it waits
// for. If ctx ends, Wait returns an error that says what was missing last and wraps the error of ctx,
// with a hint if a node lacks a resource. If waiting cannot help, it returns after [certain]: the errors
// are [NodesGone], and those of a server that is not the cluster's or cannot be trusted.
func (a API) Wait(ctx context.Context, kubeconfig []byte, want Want, moved func(string)) error {
	client, err := connect(kubeconfig)
	if err != nil {
		return err
	}
	missing := errors.New("the API server to answer")
	var final, noDNS since
	err = wait.PollUntilContextCancel(ctx, interval, true, func(ctx context.Context) (done bool, err error) {
		report, err := a.look(ctx, client, want)
		noDNS.track(report.noDNS)
		final.track(report.final || cannotPass(err))
		switch {
		case err == nil && report.Lacks == nil, noDNS.lasts(cmp.Or(a.comes, comesWithin)):
			return true, nil
		case final.lasts(certain) && err != nil:
			return false, untrusted(err)
		case final.lasts(certain):
			return false, report.Lacks
		case ctx.Err() == nil && err != nil:
			missing = errors.New(unanswered(err))
		case ctx.Err() == nil:
			missing = report.Lacks
		}
		if moved != nil {
			moved("waiting for " + missing.Error())
		}
		return false, nil
	})
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return fmt.Errorf("waiting for %w: %w", missing, ctx.Err())
	}
	return err
}

// since is when a condition began to hold; zero while it does not hold.
type since struct{ time.Time }

func (s *since) track(holds bool) {
	if !holds {
		s.Time = time.Time{}
	} else if s.IsZero() {
		s.Time = time.Now()
	}
}

func (s *since) lasts(d time.Duration) bool { return !s.IsZero() && time.Since(s.Time) >= d }

// Look returns the state of the cluster now. Its error is that of an API server that does not answer
// the requests.
func (a API) Look(ctx context.Context, kubeconfig []byte, want Want) (Report, error) {
	client, err := connect(kubeconfig)
	if err != nil {
		return Report{}, err
	}
	return a.look(ctx, client, want)
}

func (a API) look(ctx context.Context, client kubernetes.Interface, want Want) (Report, error) {
	ctx, cancel := a.bound(ctx)
	defer cancel()
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return Report{}, err
	}
	r := Report{Nodes: nodesOf(list.Items)}
	if want.Nodes == 0 {
		return r, nil
	}
	missing := r.examine(ctx, client, want)
	if missing != "" {
		r.Lacks = fault.WithHint(errors.New(missing), "%s", cmp.Or(relief(list.Items), fault.MachineHint(missing)))
	}
	return r, nil
}

// examine adds to the report what is not installed, and returns what is missing until the cluster is as
// wanted.
func (r *Report) examine(ctx context.Context, client kubernetes.Interface, want Want) string {
	if gone := want.gone(r.Nodes); len(gone) > 0 {
		r.Lacks, r.final = &NodesGone{gone}, true
		return ""
	}
	if want.Without.CNI && slices.ContainsFunc(r.Nodes, Node.lacksNetwork) {
		r.Absent = append(r.Absent, "network plugin (CNI)")
	}
	missing := missingNodes(ctx, client, r.Nodes, want)
	if missing == "" && len(want.Since) > 0 {
		missing = missingReports(ctx, client, r.Nodes, want.Since)
	}
	if missing != "" || !want.DNS {
		return missing
	}
	missing = missingDNS(ctx, client, want.Since)
	if missing == "" {
		return ""
	}
	if want.Without.KubeProxy {
		r.Absent = append(r.Absent, "kube-proxy")
	}
	installed, err := hasDNS(ctx, client)
	switch {
	case err != nil:
		return unanswered(err)
	case !installed && (want.Without.DNS || want.Settled):
		r.Absent = append(r.Absent, "DNS")
		return ""
	case want.Without != providers.Without{}: // DNS does not work without these components
		return ""
	}
	r.noDNS = !installed
	return missing
}

// connect returns a client for the cluster of a kubeconfig.
func connect(kubeconfig []byte) (kubernetes.Interface, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("cannot read the cluster's kubeconfig: %w", err)
	}
	// The client sends few requests: its rate limit would only delay them.
	config.QPS = -1
	return kubernetes.NewForConfig(config)
}

// cannotPass reports whether waiting cannot end an error: the server that answers is not the API server
// of the kubeconfig, or cannot prove that it is.
func cannotPass(err error) bool {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var record tls.RecordHeaderError
	return err != nil && (errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &record) ||
		errors.Is(err, http.ErrSchemeMismatch) || strings.Contains(err.Error(), "unsupported protocol scheme") ||
		apierrors.IsUnauthorized(err) || apierrors.IsNotFound(err) || apierrors.IsBadRequest(err))
}

// untrusted returns the error of a wait that such an error ends.
func untrusted(err error) error {
	wrapped := fmt.Errorf("the API server cannot be used: %w", err)
	var host x509.HostnameError
	if errors.As(err, &host) {
		return fault.WithHint(wrapped, "let the API server listen on an address that its certificate names, such as 127.0.0.1, "+
			"or add the address to the names of the certificate in the configuration of the tool")
	}
	return fault.WithHint(wrapped, "find the program that answers at the address of the API server; lab doctor checks the machine")
}

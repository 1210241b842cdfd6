// Package probe asks a cluster's API server whether the cluster works: does it
// answer, are its nodes ready, can its pods resolve names. It is written once for
// every flavor, and looks only at what a user of the cluster would see.
package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	// interval is short because most waits are; a local API server does not mind.
	interval = 100 * time.Millisecond

	// standard is the patience with one request. A local API server that takes longer is stuck,
	// and the next request may find it well.
	standard = 10 * time.Second

	// certain is how long a permanent error must last before it ends a wait: a starting server
	// may give the same error for a moment.
	certain = 2 * time.Second

	// comesWithin is how long a new cluster may be without DNS until it counts as not installed:
	// k3s applies its manifests some seconds after its API server answers.
	comesWithin = 30 * time.Second

	// registersWithin is how long a node may take to register after it began to run. One whose
	// Node object was deleted registers when it starts, and never again.
	registersWithin = 2 * time.Minute
)

// Want is what Wait waits for.
type Want struct {
	Nodes   int               // how many nodes must be registered and ready; 0: only the API server must answer
	Names   []string          // of these nodes, where their tool can tell
	DNS     bool              // whether pods must be able to resolve names
	Without providers.Without // components that the cluster was created without; they are not waited for
	Settled bool              // the cluster was ready before: what is missing now does not come by itself

	// Since is when nodes began to run, by name. What the API server remembers of them
	// from before, as after a stop and a start, does not count: it says "ready" of a node
	// until it misses it, most of a minute later.
	Since map[string]time.Time
}

// Report is what one look at a cluster found.
type Report struct {
	Nodes  []Node
	Lacks  error    // what is not as wanted, and why; nil where all is. Its hint says what helps
	Absent []string // components that are not installed and not waited for

	final bool // Lacks does not pass by itself
	noDNS bool // Lacks is that no DNS is installed
}

// NodesGone is the error of nodes whose Node objects were deleted while their machines, or what
// stands for them, still run.
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
	patience time.Duration // with one request; 0 means standard
	comes    time.Duration // 0 means comesWithin
}

// bound limits the time of one request.
func (a API) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, cmp.Or(a.patience, standard))
}

// Wait returns nil once the cluster is as wanted. moved, which may be nil, is told
// what is being waited for as it changes. When ctx ends, Wait returns an error that
// says what was missing last and wraps the context's, with a hint where a node has run
// short of something. Where waiting cannot help it returns after [certain]: the errors are
// [NodesGone], and those of a server that is not the cluster's, or cannot be trusted.
func (a API) Wait(ctx context.Context, kubeconfig []byte, want Want, moved func(string)) error {
	client, err := connect(kubeconfig)
	if err != nil {
		return err
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	missing := errors.New("the API server to answer")
	var final, noDNS since
	for {
		report, err := a.look(ctx, client, want)
		noDNS.track(report.noDNS)
		final.track(report.final || cannotPass(err))
		switch {
		case err == nil && report.Lacks == nil, noDNS.lasts(cmp.Or(a.comes, comesWithin)):
			return nil
		case final.lasts(certain) && err != nil:
			return untrusted(err)
		case final.lasts(certain):
			return report.Lacks
		case ctx.Err() == nil && err != nil:
			missing = errors.New(unanswered(err))
		case ctx.Err() == nil:
			missing = report.Lacks
		}
		if moved != nil {
			moved("waiting for " + missing.Error())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %w: %w", missing, ctx.Err())
		case <-tick.C:
		}
	}
}

// since is when something began that lasts; zero where it does not.
type since struct{ time.Time }

func (s *since) track(holds bool) {
	if !holds {
		s.Time = time.Time{}
	} else if s.IsZero() {
		s.Time = time.Now()
	}
}

func (s *since) lasts(d time.Duration) bool { return !s.IsZero() && time.Since(s.Time) >= d }

// Look looks at the cluster once. An error is of an API server that does not answer, or not
// as it should.
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
		r.Lacks = fault.WithHint(errors.New(missing), "%s", relief(list.Items))
	}
	return r, nil
}

// examine completes the report with what is not installed, and returns what is missing.
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
	case want.Without != providers.Without{}: // without which DNS does not work
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
	// This is one client of few requests; its own limits would only slow it down.
	config.QPS = -1
	return kubernetes.NewForConfig(config)
}

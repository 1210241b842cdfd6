// Package probe asks a cluster's API server whether the cluster works: does it
// answer, are its nodes ready, can its pods resolve names. It is written once for
// every flavor, and looks only at what a user of the cluster would see.
package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterlab-dev/lab/providers"
)

const (
	// interval is short because most waits are; a local API server does not mind.
	interval = 100 * time.Millisecond

	// standard is the patience with one request. A local API server that takes longer is stuck,
	// and the next request may find it well.
	standard = 10 * time.Second
)

// Want is what Wait waits for.
type Want struct {
	Nodes int  // how many nodes must be there, all of them ready
	DNS   bool // whether pods must be able to resolve names

	// Since is when nodes began to run, by name. What the API server remembers of them
	// from before, as after a stop and a start, does not count: it says "ready" of a node
	// until it misses it, most of a minute later.
	Since map[string]time.Time
}

// API asks API servers.
type API struct {
	patience time.Duration // with one request; 0 means standard
}

// bound limits the time of one request.
func (a API) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, cmp.Or(a.patience, standard))
}

// Wait returns nil once the cluster is as wanted. moved, which may be nil, is told
// what is being waited for as it changes. When ctx ends, Wait returns an error that
// says what was missing last and wraps the context's, with a hint where a node has run
// short of something.
func (a API) Wait(ctx context.Context, kubeconfig []byte, want Want, moved func(string)) error {
	client, err := connect(kubeconfig)
	if err != nil {
		return err
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	missing := errors.New("the API server to answer")
	for {
		now := a.look(ctx, client, want)
		if now == nil {
			return nil
		}
		if ctx.Err() == nil {
			missing = now
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

// look returns nil where the cluster is as wanted, else an error that says what is missing
// and why, and wraps none: what ended one request is not what ends the wait.
func (a API) look(ctx context.Context, client kubernetes.Interface, want Want) error {
	ctx, cancel := a.bound(ctx)
	defer cancel()
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return errors.New(unanswered(err))
	}
	nodes := nodesOf(list.Items)
	missing := missingNodes(nodes, want.Nodes)
	if missing == "" && len(want.Since) > 0 {
		missing = missingReports(ctx, client, nodes, want.Since)
	}
	if missing == "" && want.DNS {
		missing = missingDNS(ctx, client, want.Since)
	}
	if missing == "" {
		return nil
	}
	return providers.WithHint(errors.New(missing), "%s", relief(list.Items))
}

func connect(kubeconfig []byte) (kubernetes.Interface, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the cluster's kubeconfig: %w", err)
	}
	// This is one client of few requests; its own limits would only slow it down.
	config.QPS = -1
	return kubernetes.NewForConfig(config)
}

// Package ready checks whether an addon works. After its chart is applied, its workloads must roll
// out, its webhooks must accept objects, its ingress must answer on the host, and its Prometheus
// must reach its targets. Otherwise the package reports the cluster's reason: the image that cannot
// be pulled, the last line of a container that crashed, why no node fits the pod.
package ready

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterlab-dev/lab/addons"
)

const (
	interval = 200 * time.Millisecond

	// patience bounds one check, which is then repeated.
	patience = 20 * time.Second
)

// API implements [addons.Checker] by asking the cluster's API server.
type API struct{}

// Wait implements [addons.Checker].
func (API) Wait(ctx context.Context, c addons.Cluster, a addons.Addon, in addons.Installed, moved func(string)) error {
	l, err := newLook(c, a, in)
	if err != nil {
		return err
	}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	last := "no answer from the API server"
	for {
		missing, err := l.missing(ctx)
		if err != nil {
			return err
		}
		if ctx.Err() == nil {
			last = missing
		}
		if last == "" {
			return nil
		}
		if moved != nil {
			moved(last)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %s: %w", a.Name, last, ctx.Err())
		case <-tick.C:
		}
	}
}

// Look implements [addons.Checker].
func (API) Look(ctx context.Context, c addons.Cluster, a addons.Addon, in addons.Installed) (string, error) {
	l, err := newLook(c, a, in)
	if err != nil {
		return "", err
	}
	missing, err := l.missing(ctx)
	return missing, cmp.Or(err, ctx.Err())
}

// look checks one addon, repeatedly.
type look struct {
	cluster addons.Cluster
	addon   addons.Addon
	in      addons.Installed
	config  *rest.Config
	typed   kubernetes.Interface
	dynamic dynamic.Interface
	mapper  *restmapper.DeferredDiscoveryRESTMapper
}

func newLook(c addons.Cluster, a addons.Addon, in addons.Installed) (*look, error) {
	config, err := connect(c.Kubeconfig)
	if err != nil {
		return nil, err
	}
	l := &look{cluster: c, addon: a, in: in, config: config}
	if l.typed, err = kubernetes.NewForConfig(config); err != nil {
		return nil, err
	}
	l.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(l.typed.Discovery()))
	l.dynamic, err = dynamic.NewForConfig(config)
	return l, err
}

func connect(kubeconfig []byte) (*rest.Config, error) {
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("cannot read the cluster's kubeconfig: %w", err)
	}
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{}
	return config, nil
}

// missing says what is missing until the addon works, or returns "". It returns an error if waiting
// cannot help.
func (l *look) missing(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, o := range l.in.Objects {
		if missing, err := l.rollout(ctx, o); missing != "" || err != nil {
			return missing, err
		}
	}
	if !l.cluster.Traits.RunsPods {
		return "", nil // no pod could answer
	}
	for _, check := range l.addon.Ready {
		if check.Part != "" && !l.in.Has(check.Part) {
			continue
		}
		if missing, err := l.check(ctx, check); missing != "" || err != nil {
			return missing, err
		}
	}
	return "", nil
}

func (l *look) check(ctx context.Context, c addons.Check) (string, error) {
	switch {
	case c.Rollout != nil:
		o := *c.Rollout
		o.Namespace = cmp.Or(o.Namespace, l.in.Namespace)
		return l.rollout(ctx, o)
	case c.DryRun != nil:
		return l.dryRun(ctx, c.DryRun), nil
	case c.Ingress != 0:
		return l.ingress(ctx, c.Ingress), nil
	case c.Prometheus != nil:
		return l.prometheus(ctx, *c.Prometheus), nil
	case c.HTTP != nil:
		return l.http(ctx, *c.HTTP), nil
	case c.API != nil:
		return l.api(ctx, *c.API), nil
	}
	return "", nil
}

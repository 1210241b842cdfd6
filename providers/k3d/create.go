package k3d

import (
	"context"
	"fmt"
	"strconv"

	"github.com/k3d-io/k3d/v5/pkg/client"
	"github.com/k3d-io/k3d/v5/pkg/config"
	"github.com/k3d-io/k3d/v5/pkg/config/v1alpha5"
	"github.com/k3d-io/k3d/v5/pkg/runtimes"
	k3d "github.com/k3d-io/k3d/v5/pkg/types"
	"github.com/k3d-io/k3d/v5/pkg/types/fixes"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/hostport"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// Create creates a cluster. It returns ErrInvalid, ErrUnsupported, ErrExists, ErrUnavailable,
// ErrNotFound if the node image does not exist, or an error that says why a node failed. The
// logs of a failed creation are saved before its nodes are removed.
func (p *Provider) Create(ctx context.Context, spec providers.Spec, report event.Reporter) error {
	spec = nodes.WithDefaults(spec, p.opts.CAFile)
	config, err := p.plan(spec)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	full, err := complete(ctx, config, p.opts)
	if err != nil {
		return err
	}
	cache := nodes.FindCache(ctx, p.opts.Cache, spec, report)
	ref := providers.Ref{Provider: Name, Name: spec.Name, Mark: spec.Mark}
	return containers().Create(ctx, nodes.Creation{
		Spec: spec, Named: namedIn(spec.Native), Images: imagesOf(full), Cache: cache,
		InDocker: true, AwaitAPI: true,
		CheckFree: func(ctx context.Context) error { return checkFree(ctx, full) },
		Adapt: func(ctx context.Context, report event.Reporter) error {
			return nodes.Adapt(ctx, 0, func() bool { return allowCgroupV1(config) }, report)
		},
		Run: func(ctx context.Context, report event.Reporter) error {
			return p.createNodes(ctx, config, cache, report)
		},
		ExportLogs: func(ctx context.Context, dir string) error { return p.ExportLogs(ctx, ref, dir) },
		Settings:   settings,
		Remove:     func(ctx context.Context, _ error, _ bool) error { return sweep(ctx, ref) },
	}, report)
}

// plan translates spec, and checks the files that it mounts.
func (p *Provider) plan(spec providers.Spec) (*v1alpha5.SimpleConfig, error) {
	config, err := configFor(spec, p.opts)
	if err != nil {
		return nil, err
	}
	return config, nodes.CheckFiles(spec, sources(config)...)
}

// checkFree returns ErrExists if the name of the cluster or of one of its containers is taken.
func checkFree(ctx context.Context, full *v1alpha5.ClusterConfig) error {
	names := make([]string, len(full.Nodes))
	for i, n := range full.Nodes {
		names[i] = n.Name
	}
	return containers().CheckFree(ctx, full.Name, containerName(full.Name, "")+"-", names)
}

// createNodes creates and starts the nodes in the steps of k3d's own ClusterRun, which leaves
// goroutines behind when it fails. The API server gets a port that is free now.
func (p *Provider) createNodes(ctx context.Context, config *v1alpha5.SimpleConfig, cache *nodes.Cache, report event.Reporter) error {
	if port := config.ExposeAPI.HostPort; port == "" || port == "random" { // k3d's command line picks one, its library does not
		free, err := hostport.Free(ctx, hostport.Port{Address: config.ExposeAPI.HostIP})
		if err != nil {
			return fmt.Errorf("cannot choose a port for the API server: %w", err)
		}
		config.ExposeAPI.HostPort = strconv.Itoa(free)
	}
	opts := p.opts
	opts.cache = cache
	full, err := complete(ctx, config, opts)
	if err != nil {
		return err
	}
	err = report.Do("Creating the nodes", func(step *event.Step) error {
		defer p.messages.follow(full.Name, step)()
		if err := build(ctx, full); err != nil {
			return explain(err)
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	if full.Network.Name == containerName(full.Name, "") { // not one that the user chose, which stays
		cache.Connect(ctx, full.Network.Name, report) // k3s pulls images while it starts
	}
	return report.Do("Starting the nodes", func(step *event.Step) error {
		defer p.messages.follow(full.Name, step)()
		return p.launch(ctx, full)
	})
}

// build creates the network, the volumes and the containers. It cannot be interrupted: the
// engine completes a request whose client has gone, and lab would not know the result.
func build(ctx context.Context, full *v1alpha5.ClusterConfig) error {
	ctx = context.WithoutCancel(ctx)
	fixes.GetFixes(runtimes.Docker) // it caches them without a lock
	if err := config.ValidateClusterConfig(ctx, runtimes.Docker, *full); err != nil {
		return invalid("%w", err)
	}
	timeout := full.ClusterCreateOpts.Timeout
	full.ClusterCreateOpts.Timeout = 0 // it is that of the start
	defer func() { full.ClusterCreateOpts.Timeout = timeout }()
	if err := client.ClusterPrep(ctx, runtimes.Docker, full); err != nil {
		return err
	}
	return client.ClusterCreate(ctx, runtimes.Docker, &full.Cluster, &full.ClusterCreateOpts)
}

// launch starts the containers, and returns when k3s in each says that it is up.
func (p *Provider) launch(ctx context.Context, full *v1alpha5.ClusterConfig) error {
	env, err := environment(ctx, &full.Cluster, p.opts.ToolsImage)
	if err != nil {
		return explain(err)
	}
	opts := full.ClusterCreateOpts
	err = p.start(ctx, &full.Cluster, k3d.ClusterStartOpts{
		WaitForServer: true, Timeout: opts.Timeout, NodeHooks: opts.NodeHooks, HostAliases: opts.HostAliases,
		EnvironmentInfo: env, Intent: k3d.IntentClusterCreate,
	})
	if err == nil && len(opts.Registries.Use) > 0 {
		// It tells tools in the cluster of its registries; k3d ignores a failure, too.
		_ = runtimes.Docker.ExecInNode(ctx, &k3d.Node{Name: client.GenerateNodeName(full.Name, k3d.ServerRole, 0)},
			[]string{"kubectl", "apply", "--filename=" + k3d.DefaultLocalRegistryHostingConfigmapTempPath})
	}
	return err
}

// start has k3d start the stopped nodes of a cluster, and removes the files that k3d leaves on
// this machine each time.
func (p *Provider) start(ctx context.Context, cluster *k3d.Cluster, opts k3d.ClusterStartOpts) error {
	defer func() {
		if found, err := containers().Find(context.WithoutCancel(ctx), cluster.Name); err == nil {
			removeHostsFiles(found)
		}
	}()
	err := client.ClusterStart(ctx, runtimes.Docker, cluster, opts)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return lastWords(ctx, cluster.Name, explain(err))
	}
	return nil
}

package cli

import (
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers"
)

type upOptions struct {
	flavor       string
	spec         providers.Spec
	ports        []string
	mounts       []string
	native       string
	timeout      time.Duration
	ttl          time.Duration
	noKubeconfig bool
	dryRun       bool
	profile      string
	prune        bool
	file         string
	recreate     bool
	rollback     bool
	wait         lab.Wait
	addons       addonOptions
}

func (c *command) up() *cobra.Command {
	o := &upOptions{}
	cmd := &cobra.Command{
		Use:   "up [NAME]",
		Short: "Create a cluster, or start and update an existing one",
		Long: `Create a cluster and wait until it is ready. NAME defaults to "lab".

Where the cluster exists, up updates it to match the request: it starts a stopped
cluster, repairs a broken one, and recreates one that was left half-made. Running it
twice changes nothing. Flags override the file and the profile; --dry-run shows where
each value comes from.

--wait sets what up waits for: until the API server answers (api), until the nodes
are ready, too (nodes), or until DNS works, too (all). up always waits for addons. It
does not wait for components that the configuration of the tool leaves out, such as
the network plugin; it reports them as missing.

A creation that fails or is interrupted leaves nothing behind. A cluster that was
created and does not become ready stays: up says what is not ready, and exits with 7
after --timeout, else with 1. The next "lab up NAME" resumes. With --rollback such a
cluster is deleted.`,
		Example: `  lab up                               the first flavor that can be used here
  lab up demo --flavor kwok            a cluster called "demo", with simulated nodes
  lab up big --flavor kwok --workers 1000
  lab up vm --flavor minikube --driver kvm2
  lab up -f lab.yaml                   what the file says; changes only what differs
  lab up --addon ingress-nginx,hello   with addons, which work when up is done`,
		Args:              oneName,
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.runUp(cmd, o, args)
		},
	}
	f := cmd.Flags()
	o.flags(f, c.Lab.Set.Names())
	f.DurationVar(&o.ttl, "ttl", 0, "delete the cluster this long after it is ready, such as 2h, or after this call where it is there (default: never)")
	f.BoolVar(&o.noKubeconfig, "no-kubeconfig", false, "leave the kubeconfig alone (lab kubectl works all the same)")
	f.BoolVar(&o.recreate, "recreate", false, "delete an existing cluster and create it again; its contents are lost")
	f.BoolVar(&o.rollback, "rollback", false, "delete a new cluster that does not become ready")
	o.waitFlag(f)
	f.BoolVar(&o.prune, "prune", false, "remove the addons that are not asked for, nor needed by one that is")
	f.BoolVar(&o.dryRun, "dry-run", false, "print what would be done, and do nothing")
	return cmd
}

// waitFlag adds --wait.
func (o *upOptions) waitFlag(f *pflag.FlagSet) {
	o.wait = lab.WaitAll
	f.Var(&o.wait, "wait", "what to wait for")
}

// flags are those that say what the cluster is to be.
func (o *upOptions) flags(f *pflag.FlagSet, flavors []string) {
	o.profileFlags(f)
	f.StringVar(&o.flavor, "flavor", lab.FlavorAuto, "the tool that makes the cluster: "+strings.Join(flavors, ", ")+"; auto is the first that can be used")
	f.StringVar(&o.spec.KubernetesVersion, "kubernetes-version", "", "the version of Kubernetes, such as v1.37.2, v1.37 or latest (default: the flavor's)")
	f.StringVar(&o.spec.NodeImage, "image", "", "the node image, in place of the flavor's")
	f.IntVar(&o.spec.ControlPlanes, "control-planes", 0, "how many control planes (default: 1)")
	f.IntVar(&o.spec.Workers, "workers", 0, "how many workers beside the control planes, which run workloads too")
	f.StringArrayVar(&o.ports, "port", nil, "publish a port as [ADDRESS:]HOST:CONTAINER[/udp]; on 127.0.0.1 unless an address is given")
	f.StringArrayVar(&o.mounts, "mount", nil, "mount a host directory into every node, as HOST:NODE[:ro]")
	f.StringVar(&o.spec.Driver, "driver", "", "what minikube makes nodes with, such as docker or kvm2 (default: docker); only minikube takes it")
	f.StringVar(&o.native, "cluster-config", "", "a `file` with the tool's own configuration, passed through")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "give up after this time")
	f.StringArrayVar(&o.addons.names, "addon", nil, "install addons, separated by commas, and wait until they work (lab addon list)")
	o.addons.flags(f)
}

func (c *command) runUp(cmd *cobra.Command, o *upOptions, args []string) error {
	all, request, err := c.asked(o, cmd.Flags(), args)
	if err != nil {
		return err
	}
	ctx, cancel := withTimeout(cmd.Context(), o.timeout)
	defer cancel()
	if o.dryRun {
		plan, err := c.Lab.DryRun(ctx, request)
		if err != nil {
			return err
		}
		plan.Settings = all.Settings()
		return ui.Print(c.streams.Out, c.format, plan, func() ui.View { return planView(plan) })
	}
	progress := c.progress(request.Spec.Name)
	defer progress.Close()
	if err := c.warnOf(progress, request.Addons.Names); err != nil {
		return err
	}
	cluster, err := c.Lab.Up(ctx, request, progress.Report)
	if err != nil {
		return err
	}
	progress.Close()
	c.watch(progress, cluster)
	if err := c.printCluster(cluster); err != nil {
		return err
	}
	warnMissing(progress, cluster)
	c.next(progress, cluster, o.noKubeconfig)
	return nil
}

// warnMissing warns about components that a cluster lacks.
func warnMissing(progress *ui.Progress, cluster lab.Cluster) {
	if len(cluster.Missing) > 0 {
		progress.Warn("cluster %q has no %s: workloads that need it do not work until you install it",
			cluster.Name, strings.Join(cluster.Missing, ", no "))
	}
}

// next tells a person what to type now.
func (c *command) next(progress *ui.Progress, cluster lab.Cluster, noKubeconfig bool) {
	if c.format != ui.FormatTable {
		return
	}
	name := ""
	if cluster.Name != lab.DefaultName {
		name = " " + cluster.Name
	}
	if noKubeconfig {
		progress.Note("Try it: lab kubectl%s -- get nodes    Remove it: lab down%s", name, name)
		return
	}
	progress.Note("kubectl now talks to %s. Without kubectl: lab kubectl%s -- get nodes    Remove it: lab down%s", cluster.Context, name, name)
}

func planView(p lab.Plan) ui.View {
	d := &ui.Details{}
	d.Add("Action", p.Action)
	d.Add("Name", p.Name)
	d.Add("Flavor", p.Flavor)
	d.Add("Kubernetes", p.Spec.KubernetesVersion)
	d.Add("Control planes", p.Spec.ControlPlanes)
	d.Add("Workers", p.Spec.Workers)
	for _, port := range p.Spec.Ports {
		d.Add("Port", port)
	}
	d.Add("Would pull", p.Pulls)
	for _, addon := range p.Addons {
		d.Add("Addon", addon)
	}
	for _, m := range p.Spec.Mounts {
		d.Add("Mount", m.Host+":"+m.Node)
	}
	settings := ui.NewTable("value", "is", "from")
	for _, s := range p.Settings {
		settings.Row(s.Path, s.Value, s.From)
	}
	d.Section("What was asked, and where", settings)
	return d
}

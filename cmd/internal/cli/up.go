package cli

import (
	"os"
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
	noKubeconfig bool
	dryRun       bool
	addons       addonOptions
}

func (c *command) up() *cobra.Command {
	o := &upOptions{}
	cmd := &cobra.Command{
		Use:   "up [NAME]",
		Short: "Make a cluster, or bring it back to work",
		Long: `Make a cluster and wait until it is ready. NAME defaults to "lab".

Where the cluster exists, up brings it to what is asked: it starts it if it is
stopped, repairs it if it is broken, and makes it anew if it was left half-made.
Running it twice changes nothing. A cluster that cannot be finished, or whose
creation is interrupted, leaves nothing behind.`,
		Example: `  lab up                               the first flavor that can be used here
  lab up demo --flavor kwok            a cluster called "demo", with simulated nodes
  lab up big --flavor kwok --workers 1000
  lab up --addon ingress-nginx,hello   with addons, which work when up is done`,
		Args:              oneName,
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.spec.Name = nameOf(args)
			return c.runUp(cmd, o)
		},
	}
	o.flags(cmd.Flags(), strings.Join(c.Lab.Set.Names(), ", "))
	return cmd
}

func (o *upOptions) flags(f *pflag.FlagSet, flavors string) {
	f.StringVar(&o.flavor, "flavor", lab.FlavorAuto, "the tool that makes the cluster: "+flavors+"; auto is the first that can be used")
	f.StringVar(&o.spec.KubernetesVersion, "kubernetes-version", "", "the version of Kubernetes, such as v1.37.2 (default: the flavor's)")
	f.StringVar(&o.spec.NodeImage, "image", "", "the node image, in place of the flavor's")
	f.IntVar(&o.spec.ControlPlanes, "control-planes", 0, "how many control planes (default: 1)")
	f.IntVar(&o.spec.Workers, "workers", 0, "how many workers beside the control planes, which run workloads too")
	f.StringArrayVar(&o.ports, "port", nil, "publish a port as [ADDRESS:]HOST:CONTAINER[/udp]; on 127.0.0.1 unless an address is given")
	f.StringArrayVar(&o.mounts, "mount", nil, "mount a host directory into every node, as HOST:NODE[:ro]")
	f.StringVar(&o.native, "cluster-config", "", "a `file` with the tool's own configuration, passed through")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "give up after this time and leave nothing behind")
	f.BoolVar(&o.noKubeconfig, "no-kubeconfig", false, "leave the kubeconfig alone (lab kubectl works all the same)")
	f.StringArrayVar(&o.addons.names, "addon", nil, "install addons, separated by commas, and wait until they work (lab addon list)")
	o.addons.flags(f)
	f.BoolVar(&o.dryRun, "dry-run", false, "print what would be done, and do nothing")
}

func (c *command) runUp(cmd *cobra.Command, o *upOptions) error {
	request, err := o.request()
	if err != nil {
		return err
	}
	ctx, cancel := withTimeout(cmd.Context(), o.timeout)
	defer cancel()
	if o.dryRun {
		plan, err := c.Lab.Plan(ctx, request)
		if err != nil {
			return err
		}
		return ui.Print(c.streams.Out, c.format, plan, func() ui.View { return planView(plan) })
	}
	progress := c.progress(o.spec.Name)
	defer progress.Close()
	if err := c.warnOf(progress, request.Addons.Names); err != nil {
		return err
	}
	cluster, err := c.Lab.Up(ctx, request, progress.Report)
	if err != nil {
		return err
	}
	progress.Close()
	if err := c.printCluster(cluster); err != nil {
		return err
	}
	c.next(progress, cluster, o.noKubeconfig)
	return nil
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

func (o *upOptions) request() (lab.UpRequest, error) {
	for _, s := range o.ports {
		p, err := parsePort(s)
		if err != nil {
			return lab.UpRequest{}, err
		}
		o.spec.Ports = append(o.spec.Ports, p)
	}
	for _, s := range o.mounts {
		m, err := parseMount(s)
		if err != nil {
			return lab.UpRequest{}, err
		}
		o.spec.Mounts = append(o.spec.Mounts, m)
	}
	if o.native != "" {
		native, err := os.ReadFile(o.native)
		if err != nil {
			return lab.UpRequest{}, usage("the cluster configuration cannot be read: %w", err)
		}
		o.spec.Native = native
	}
	asked, err := o.addons.request()
	return lab.UpRequest{Flavor: o.flavor, Spec: o.spec, NoKubeconfig: o.noKubeconfig, Addons: asked}, err
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
	for _, addon := range p.Addons {
		d.Add("Addon", addon)
	}
	for _, m := range p.Spec.Mounts {
		d.Add("Mount", m.Host+":"+m.Node)
	}
	return d
}

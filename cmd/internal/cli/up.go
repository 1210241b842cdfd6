package cli

import (
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers/fault"
)

type upOptions struct {
	layer        profiles.Layer // of the flags that were set
	timeout      time.Duration
	noKubeconfig bool
	dryRun       bool
	profile      string
	from         string
	prune        bool
	file         string
	recreate     bool
	rollback     bool
	wait         inventory.Wait
	noCache      bool
	addons       addonOptions
}

const upLong = `Create a cluster, and wait until it and its addons are ready. If the cluster exists, up
updates it to match the request: it starts a stopped cluster, repairs a broken one if
that loses nothing, recreates one whose creation was interrupted, and installs addons
that are missing. Running up twice changes nothing. up never recreates an existing
cluster to change a setting, unless --recreate is set.

Addons that are not requested stay, unless --prune is set. If a file or a profile
requests the addons, up resumes no unfinished installation of the others.

With --from, a new cluster starts with the contents and the addons of a snapshot. It has
the settings of the saved cluster; up refuses other settings. --addon adds further addons.

NAME defaults to "lab". The flavor is the tool that creates the cluster: see "lab flavors".
Flags override the file, and the file overrides the profile. --dry-run shows the source of
each value; with --offline, it also names what is missing on this machine. With --offline,
the flavor auto is the first for which everything is on this machine.

--wait sets what up waits for:
  api    the API server answers
  nodes  the API server answers, and all nodes are ready
  all    the API server answers, all nodes are ready, and DNS works

up always waits for addons. It does not wait for components that --cluster-config leaves
out, such as the network plugin; it reports them as missing.

up adds the cluster to your kubeconfig and makes its context the current one. A creation
that fails or is interrupted leaves nothing behind. A cluster that was created but does
not become ready is kept, and the next "lab up NAME" resumes; with --rollback it is
deleted.

The exit code is 0 if the cluster and its addons are ready, 1 after a failure that more
time does not fix, 4 if an existing cluster differs in a setting that cannot be changed,
5 if the flavor or what it needs is not available, 6 if the flavor does not support a
setting, and 7 after --timeout.`

func newUp(c *command) *cobra.Command {
	o := &upOptions{}
	cmd := &cobra.Command{
		Use:   "up [NAME]",
		Short: "Create a cluster, or start and update an existing one",
		Long:  upLong,
		Example: `  lab up                               use the first usable flavor
  lab up demo --flavor kwok            create a cluster "demo" with simulated nodes
  lab up big --flavor kwok --workers 1000
  lab up vm --flavor minikube --driver kvm2
  lab up tmp --ttl 2h                  create a cluster that lab deletes after two hours
  lab up -f lab.yaml                   create or update the cluster that a file describes
  lab up web --addon traefik,hello     install addons, too
  lab up demo --from base              create the cluster from a snapshot`,
		Args:              oneName,
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runUp(c, cmd, o, args)
		},
	}
	o.ownFlags(cmd.Flags(), c.Inventory.Set.Names())
	return cmd
}

// ownFlags adds the flags of up.
func (o *upOptions) ownFlags(f *pflag.FlagSet, flavors []string) {
	o.flags(f, flavors)
	o.setting(f, "ttl", "ttl", "time to live from the end of this command, such as 2h (default: no expiry)")
	f.BoolVar(&o.noKubeconfig, "no-kubeconfig", false, "do not change the kubeconfig (lab kubectl works without it)")
	f.BoolVar(&o.recreate, "recreate", false, "delete an existing cluster and create it again; its contents are lost")
	f.BoolVar(&o.rollback, "rollback", false, "delete the new cluster if it does not become ready")
	o.waitFlag(f)
	o.cacheFlag(f)
	f.BoolVar(&o.prune, "prune", false, "remove addons that are not requested and that no requested addon needs")
	f.BoolVar(&o.dryRun, "dry-run", false, "print what would be done, without doing it")
}

// waitFlag adds --wait.
func (o *upOptions) waitFlag(f *pflag.FlagSet) {
	o.wait = inventory.WaitAll
	f.Var(&o.wait, "wait", "what to wait for")
}

// cacheFlag adds --no-cache.
func (o *upOptions) cacheFlag(f *pflag.FlagSet) {
	f.BoolVar(&o.noCache, "no-cache", false, "do not pull images through the image cache (see lab cache)")
}

// flags adds the flags that describe the cluster.
func (o *upOptions) flags(f *pflag.FlagSet, flavors []string) {
	o.profileFlags(f)
	o.setting(f, "flavor", "flavor", "tool that creates the cluster: "+strings.Join(flavors, ", ")+"; auto: the first usable")
	f.Lookup("flavor").DefValue = clusters.FlavorAuto
	o.setting(f, "kubernetes-version", "cluster.kubernetesVersion", "version, such as v1.37.2, v1.37 or latest (default: that of the flavor)")
	o.setting(f, "image", "cluster.image", "node image (default: that of the flavor)")
	o.setting(f, "control-planes", "cluster.controlPlanes", "number of control planes (default: 1)")
	o.setting(f, "workers", "cluster.workers", "number of worker nodes (default: 0); control planes also run pods")
	o.setting(f, "port", "cluster.ports", "published port, as [ADDRESS:]HOST:CONTAINER[/udp] (default ADDRESS: 127.0.0.1)")
	o.setting(f, "mount", "cluster.mounts", "host directory to mount into every node, as HOST:NODE[:ro]")
	o.setting(f, "driver", "cluster.driver", "driver of the flavor that creates nodes, such as docker or kvm2")
	o.setting(f, "cluster-config", "cluster.config", "configuration `file` in the format of the tool, such as that of kind")
	o.setting(f, "addon", "addons", "addons to install, separated by commas (see lab addon list)")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "give up after this time")
	f.StringVar(&o.from, "from", "", "create the cluster from this `snapshot` (see lab snapshot list)")
	o.addons.flags(f)
}

// setting adds a flag for the setting at path, see [profiles.Layer.Flag].
func (o *upOptions) setting(f *pflag.FlagSet, flag, path, usage string) {
	f.Var(o.layer.Flag(path, "--"+flag), flag, usage)
}

func runUp(c *command, cmd *cobra.Command, o *upOptions, args []string) error {
	all, request, err := upRequest(c, o, args)
	if err != nil {
		return err
	}
	ctx, cancel := withTimeout(cmd.Context(), o.timeout)
	defer cancel()
	if o.dryRun {
		plan, err := c.Clusters.DryRun(ctx, request)
		if err != nil {
			return err
		}
		plan.Settings = all.Settings()
		if len(plan.Missing) > 0 && c.format == ui.FormatTable {
			c.progress("").Warn("no bundle on this machine has the missing images: pods that need them would wait")
		}
		return ui.Print(c.streams.Out, c.format, plan, func() ui.View { return planView(plan) })
	}
	progress := c.progress(request.Spec.Name)
	defer progress.Close()
	if err := warnOf(c, progress, request.Addons.Names); err != nil {
		return err
	}
	_, unknown := c.Inventory.OpenRecorded(request.Spec.Name)
	cluster, err := c.Clusters.Up(ctx, request, progress.Report)
	if err != nil {
		return err
	}
	progress.Close()
	if c.chooses(request.Flavor) && request.From == "" && !request.Addons.Offline && errors.Is(unknown, fault.ErrNotFound) {
		progress.Note("%s is the first usable flavor of this machine. Compare the flavors: lab flavors", cluster.Flavor)
	}
	return upped(c, progress, cluster, o.noKubeconfig)
}

// upped prints a cluster that was created or updated.
func upped(c *command, progress *ui.Progress, cluster output.Cluster, noKubeconfig bool) error {
	c.watch(progress, cluster)
	if err := c.printCluster(cluster); err != nil {
		return err
	}
	warnMissing(progress, cluster)
	next(c, progress, cluster, noKubeconfig)
	return nil
}

// chooses reports whether lab chooses the flavor of a new cluster.
func (c *command) chooses(requested string) bool {
	auto := func(flavor string) bool { return flavor == "" || flavor == clusters.FlavorAuto }
	return auto(requested) && auto(c.Clusters.Flavor)
}

// warnMissing warns about components that a cluster lacks.
func warnMissing(progress *ui.Progress, cluster output.Cluster) {
	if len(cluster.Missing) > 0 {
		progress.Warn("cluster %q has no %s: workloads that need it do not work until you install it",
			cluster.Name, strings.Join(cluster.Missing, ", no "))
	}
}

// next prints the next commands to try.
func next(c *command, progress *ui.Progress, cluster output.Cluster, noKubeconfig bool) {
	if c.format != ui.FormatTable {
		return
	}
	name := ""
	if cluster.Name != inventory.DefaultName {
		name = " " + cluster.Name
	}
	if noKubeconfig {
		progress.Note("List its nodes: lab kubectl%s -- get nodes    Delete it: lab down%s", name, name)
		return
	}
	progress.Note("kubectl now uses context %s. Without kubectl: lab kubectl%s -- get nodes    Delete it: lab down%s", cluster.Context, name, name)
}

func planView(p clusters.Plan) ui.View {
	d := &ui.Details{}
	d.Add("Action", p.Action)
	d.Add("Name", p.Name)
	d.Add("Flavor", p.Flavor)
	for _, s := range p.Skipped {
		d.Add("Skipped", s.Flavor+": "+s.Reason)
	}
	d.Add("Snapshot", p.From)
	d.Add("Kubernetes", p.Spec.KubernetesVersion)
	d.Add("Control planes", p.Spec.ControlPlanes)
	d.Add("Workers", p.Spec.Workers)
	for _, port := range p.Spec.Ports {
		d.Add("Port", port)
	}
	d.Add("Image to pull", p.Pulls)
	for _, addon := range p.Addons {
		d.Add("Addon", addon)
	}
	for _, addon := range p.Removes {
		d.Add("Addon to remove", addon)
	}
	for _, addon := range p.Unfinished {
		d.Add("Unfinished addon", addon)
	}
	for _, image := range p.Missing {
		d.Add("Missing image", image)
	}
	for _, m := range p.Spec.Mounts {
		d.Add("Mount", m.Host+":"+m.Node)
	}
	settings := ui.NewTable("setting", "value", "source")
	for _, s := range p.Settings {
		settings.Row(s.Path, s.Value, s.From)
	}
	d.Section("Requested settings", settings)
	return d
}

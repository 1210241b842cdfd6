package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/cmd/internal/bundles"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Bundle is the result of `lab bundle create`, `import` and `verify`.
type Bundle struct {
	output.Meta
	bundles.Bundle
	Files []string `json:"files,omitempty"` // that were written
}

func newBundle(c *command) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bundle",
		Short: "Manage files with everything that clusters need, for machines without a network",
		Long: `Write everything that clusters need into one file: the charts of addons and the images
that they pull, the images of nodes, the tools of "lab tools", and lab itself. On a machine
that imported the file, "lab up --offline" creates the cluster without a network.

The digest of a bundle authenticates all of its content.`,
		Args: onlyVerbs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBundleCreate(c), newBundleImport(c), newBundleList(c), newBundleVerify(c), newBundleRemove(c), newBundleServe(c))
	return cmd
}

type bundleOptions struct {
	up       upOptions
	from     string
	name     string
	flavors  string
	platform string
	tools    []string
	images   []string
	split    byteSize
}

const flagFromCluster = "from-cluster"

func newBundleCreate(c *command) *cobra.Command {
	o := &bundleOptions{}
	cmd := &cobra.Command{
		Use:   "create FILE",
		Short: "Write everything that a cluster needs into a file",
		Long: `Write everything that a cluster needs into FILE. --profile, --file and --addon describe the
cluster. With several flavors, the bundle has what a cluster of each of them needs.

With --from-cluster, the bundle has what a running cluster uses: the image of its nodes, its
addons in their versions, and the images that its pods run, with the digests that the nodes
pulled. --addon and --values add to that.

Images come from the container engine of the flavor, or else from their registries. What
lab fetches stays in its cache, so a second run after an interruption does not fetch it
again. Until the bundle is complete, its file is FILE.part. An existing file is not
overwritten. With --split, the files are FILE.001, FILE.002 and so on, for file systems
that limit the size of a file, such as FAT32.

The exit code is 3 if the cluster of --from-cluster does not exist, and 5 if it is
stopped or its API server does not answer.`,
		Example: `  lab bundle create class.lab --profile workshop --flavor kind,kwok
  lab bundle create class.lab -f lab.yaml --tools kubectl,helm
  lab bundle create class.lab --from-cluster lab
  lab bundle create /media/usb/class.lab --addon cert-manager --split 4G`,
		Args: bundleArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return runBundleCreate(c, cmd, o, args[0]) },
	}
	f := cmd.Flags()
	o.up.profileFlags(f)
	o.fromFlag(c, cmd)
	f.StringVar(&o.flavors, "flavor", "", "flavors, separated by commas: "+strings.Join(c.Inventory.Set.Names(), ", "))
	o.up.setting(f, "kubernetes-version", "cluster.kubernetesVersion", "version, such as v1.37.2 (default: that of the flavor)")
	o.up.setting(f, "addon", "addons", "addons, separated by commas (see lab addon list)")
	o.up.addons.flags(f)
	f.StringVar(&o.name, "name", "", "name of the bundle (default: that of the profile, the lab or the cluster)")
	f.StringVar(&o.platform, "platform", "", "system and processor, such as linux/arm64 (default: those of this machine)")
	o.toolsFlag(f, "tools to include")
	f.StringSliceVar(&o.images, "with-image", nil, "further images, such as those of an addon with other values")
	f.Var(&o.split, "split", "write files of at most this size, such as 4G ("+sizeHelp+")")
	return cmd
}

// fromFlag adds --from-cluster.
func (o *bundleOptions) fromFlag(c *command, cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.from, flagFromCluster, "", "`name` of a running cluster whose content the bundle gets")
	_ = cmd.RegisterFlagCompletionFunc(flagFromCluster, func(cmd *cobra.Command, _ []string, s string) ([]string, cobra.ShellCompDirective) {
		return c.completeNames(cmd, nil, s)
	}) // the flag exists
}

// checkFrom returns a usage error if --from-cluster is empty, or set together with a flag that describes another cluster.
func checkFrom(f *pflag.FlagSet) error {
	if !f.Changed(flagFromCluster) {
		return nil
	}
	if f.Lookup(flagFromCluster).Value.String() == "" {
		return fault.WithHint(usage("--%s names no cluster", flagFromCluster), "list the clusters: lab list")
	}
	for _, flag := range []string{"file", "profile", "flavor", "kubernetes-version"} {
		if f.Changed(flag) {
			err := usage("--%s describes another cluster than --%s", flag, flagFromCluster)
			return fault.WithHint(err, "omit --%s, or omit --%s", flag, flagFromCluster)
		}
	}
	return nil
}

// toolsFlag adds --tools.
func (o *bundleOptions) toolsFlag(f *pflag.FlagSet, usage string) {
	f.StringSliceVar(&o.tools, "tools", nil, usage+", or none (default: all, see lab tools list)")
}

// pick sets the tools of a request to those of --tools.
func (o *bundleOptions) pick(q *bundles.Request) {
	q.Tools, q.NoTools = o.tools, false
	if len(o.tools) == 1 && o.tools[0] == "none" {
		q.Tools, q.NoTools = nil, true
	}
}

func runBundleCreate(c *command, cmd *cobra.Command, o *bundleOptions, file string) error {
	if err := o.split.atLeast("--split", cmd.Flags().Changed("split")); err != nil {
		return err
	}
	if err := checkFrom(cmd.Flags()); err != nil {
		return err
	}
	all, request, err := upRequest(c, &o.up, nil)
	if err != nil {
		return err
	}
	parts, err := bundles.NewParts(file, int64(o.split))
	if err != nil {
		return err
	}
	defer parts.Discard()
	q := bundles.Request{
		Name: cmp.Or(o.name, o.from, strings.ToLower(o.up.profile)), Cluster: request, From: o.from,
		Flavors: splitNames([]string{o.flavors}), Platform: o.platform, Images: o.images, CA: request.Addons.CA,
	}
	if q.Name == "" || strings.ContainsAny(q.Name, "./\\") {
		q.Name = string(all.Name)
	}
	o.pick(&q)
	progress := c.progress("")
	defer progress.Close()
	bundle, err := c.Bundles.Create(cmd.Context(), q, progress.Report)
	if err != nil {
		return err
	}
	if err := c.Bundles.Write(cmd.Context(), bundle, parts, progress.Report); err != nil {
		return err
	}
	files, err := parts.Commit()
	if err != nil {
		return err
	}
	progress.Close()
	if c.format == ui.FormatTable {
		progress.Note("On another machine: lab bundle import %s    For a class: lab bundle serve %s", fault.ShellWord(files[0]), bundle.Name)
	}
	return c.printBundle(bundle, files)
}

func (c *command) printBundle(bundle bundles.Bundle, files []string) error {
	result := Bundle{output.NewMeta("Bundle"), bundle, files}
	return ui.Print(c.streams.Out, c.format, result, func() ui.View { return bundleView(result) })
}

func bundleView(b Bundle) ui.View {
	d := &ui.Details{}
	d.Add("Name", b.Name)
	d.Add("Digest", b.Digest.String())
	d.Add("Platform", b.Platform)
	d.Add("Flavors", strings.Join(b.Flavors, ", "))
	d.Add("Size", event.Size(b.Size))
	for _, file := range b.Files {
		d.Add("File", file)
	}
	items := ui.NewTable("kind", "name", "version", "size")
	for _, i := range b.Items {
		items.Row(string(i.Kind), i.Name, i.Version, event.Size(i.Size))
	}
	d.Section("Content", items)
	return d
}

func newBundleImport(c *command) *cobra.Command {
	var caFile string
	cmd := &cobra.Command{
		Use:   "import FILE|URL",
		Short: "Store a bundle on this machine",
		Long: `Store a bundle on this machine, from a file or from a server of "lab bundle serve". Then
"lab up --offline" and "lab tools install" use it without a network. import also installs
programs of lab that are missing, and loads the images of nodes into the container engine.

Everything is verified by its digest. Run the command again after an interruption: content
that is already stored is skipped.

The exit code is 4 if the bundle is damaged. It is 6 if the bundle is for another platform
or from a newer version of lab; then nothing was written.`,
		Example: `  lab bundle import class.lab
  lab bundle import 'http://192.168.1.10:8090#sha256:…'`,
		Args: bundleArg("FILE|URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ca, err := c.readCA(caFile)
			if err != nil {
				return err
			}
			progress := c.progress("")
			defer progress.Close()
			bundle, err := importBundle(c, cmd, args[0], ca, progress.Report)
			if err != nil {
				return err
			}
			progress.Close()
			return c.printBundle(bundle, nil)
		},
	}
	cmd.Flags().StringVar(&caFile, "ca-file", "", "`file` with additional CA certificates (PEM) for the server")
	return cmd
}

func importBundle(c *command, cmd *cobra.Command, source string, ca []byte, report event.Reporter) (bundles.Bundle, error) {
	if bundles.IsURL(source) {
		return c.Bundles.ImportURL(cmd.Context(), source, ca, report)
	}
	file, err := bundles.OpenFile(source)
	if err != nil {
		return bundles.Bundle{}, err
	}
	defer func() { _ = file.Close() }()
	bundle, err := c.Bundles.Import(cmd.Context(), file, report)
	return bundle, of(source, err)
}

// of adds the name of a file to an error about it.
func of(file string, err error) error {
	if err == nil {
		return nil
	}
	return fault.WithHint(fmt.Errorf("%s: %w", file, err), "%s", fault.HintOf(err))
}

func newBundleList(c *command) *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List the bundles on this machine",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := c.Bundles.List(cmd.Context())
			if err != nil {
				return err
			}
			if len(list.Items) == 0 && c.format == ui.FormatTable {
				c.progress("").Note("There are no bundles. Import one: lab bundle import FILE")
				return nil
			}
			noteProblems(c, list)
			return ui.Print(c.streams.Out, c.format, list, func() ui.View {
				t := ui.NewTable("name", "flavors", "size", "complete", "digest")
				for _, b := range list.Items {
					t.Row(b.Name, strings.Join(b.Flavors, ","), event.Size(b.Size), yesNo(b.Complete), b.Digest.String())
				}
				return t
			})
		},
	}
}

// noteProblems warns of bundles that cannot be read.
func noteProblems(c *command, list bundles.List) {
	progress := c.progress("")
	defer progress.Close()
	for _, b := range list.Items {
		if b.Problem != "" && c.format == ui.FormatTable {
			progress.Note("cannot read the bundle %s: %s. Import it again, or remove it: lab bundle remove %s", b.Name, b.Problem, b.Name)
		}
	}
}

func newBundleVerify(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   "verify NAME|FILE",
		Short: "Verify a bundle",
		Long: `Read all of a bundle, imported or in a file, and compare it with its digests. An argument
with a dot or a slash is a file.

The exit code is 4 if something is missing or damaged; the error names it.`,
		Example: `  lab bundle verify class.lab
  lab bundle verify workshop`,
		Args:              bundleArg("NAME|FILE"),
		ValidArgsFunction: c.completeBundles,
		RunE: func(cmd *cobra.Command, args []string) error {
			progress := c.progress("")
			defer progress.Close()
			var bundle bundles.Bundle
			err := event.Reporter(progress.Report).Do("Verifying "+args[0], func(step *event.Step) (err error) {
				bundle, err = verifyBundle(c, cmd, args[0], step)
				return err
			})
			if err != nil {
				return err
			}
			progress.Close()
			return c.printBundle(bundle, nil)
		},
	}
}

func verifyBundle(c *command, cmd *cobra.Command, source string, step *event.Step) (bundles.Bundle, error) {
	if !strings.ContainsAny(source, "./\\") {
		return c.Bundles.Verify(cmd.Context(), source)
	}
	file, err := bundles.OpenFile(source)
	if err != nil {
		return bundles.Bundle{}, err
	}
	defer func() { _ = file.Close() }()
	bundle, err := bundles.VerifyFile(cmd.Context(), file, func(done int64) {
		step.Progress(event.Size(done) + " of " + event.Size(file.Size()))
	})
	return bundle, of(source, err)
}

func newBundleRemove(c *command) *cobra.Command {
	return &cobra.Command{
		Use:     "remove NAME...",
		Aliases: []string{"rm"},
		Short:   "Remove bundles from this machine",
		Long:    `Remove bundles from this machine. Charts, tools, and images in the container engine stay.`,
		Example: `  lab bundle remove workshop`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return nil
			}
			return fault.WithHint(usage("%s requires the name of a bundle", cmd.CommandPath()), "list the bundles: lab bundle list")
		},
		ValidArgsFunction: c.completeBundles,
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, name := range args {
				if err := c.Bundles.Remove(cmd.Context(), name); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// completeBundles completes the names of bundles.
func (c *command) completeBundles(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
	list, _ := c.Bundles.List(cmd.Context())
	var names []string
	for _, b := range list.Items {
		names = append(names, b.Name)
	}
	return names, cobra.ShellCompDirectiveDefault
}

// bundleArg accepts one argument.
func bundleArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return fault.WithHint(usage("%s requires one argument, %s, received %d", cmd.CommandPath(), what, len(args)), "show the usage: %s --help", cmd.CommandPath())
	}
}

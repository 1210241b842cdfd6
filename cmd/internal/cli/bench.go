package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/bench"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// The formats of bench alone.
const (
	formatGoBench  ui.Format = "gobench"
	formatMarkdown ui.Format = "markdown"
)

// benchFormat is --output of bench. Its type in the help is that of other commands, because a
// flag is the same everywhere.
type benchFormat struct{ *ui.Format }

// Set parses s. It returns [fault.ErrInvalid] if s is not a format.
func (f benchFormat) Set(s string) error {
	if own := ui.Format(s); own == formatGoBench || own == formatMarkdown {
		*f.Format = own
		return nil
	}
	if err := f.Format.Set(s); err != nil {
		return fault.Errorf(fault.ErrInvalid, "%w, %s, %s", err, formatGoBench, formatMarkdown)
	}
	return nil
}

type benchOptions struct {
	upOptions
	rounds  int
	against bench.Against
}

func newBench(c *command) *cobra.Command {
	o := &benchOptions{against: bench.AgainstTool}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure how long clusters take to create",
		Long: `Create and delete clusters, and compare the time of lab with that of:

  tool      the flavor's own tool, with the same image and the same nodes
  cold      lab with an empty cache; the images in the container engine stay
  warm      lab again: the ratio shows how exact the measurement is
  snapshot  lab with a snapshot of such a cluster, which bench saves and removes

Both sides alternate. Each waits until all nodes are ready and DNS works. The result has
the median times, their ratio with its 95 % interval, the time of each step, the used
processor time and memory, and the received bytes. A value that cannot be measured on
this machine is unknown, in JSON null. "methods" in the JSON says how each value is
measured. If other programs use the machine, or if the rounds differ too much, the
result says that it is not believable.

-o gobench prints the rounds for benchstat, and -o markdown a page.

bench deletes all clusters that it creates, also when it is interrupted, and does not
touch others. If lab is killed, the next lab command deletes the cluster of lab; delete
a cluster bench-NAME of another tool with that tool.`,
		Example: `  lab bench --flavor kwok
  lab bench --flavor kind,k3d --rounds 10 -o json
  lab bench --against warm
  lab bench -o gobench > rounds.txt; benchstat -col /by rounds.txt`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runBench(c, cmd, o) },
	}
	f := cmd.Flags()
	f.VarP(benchFormat{&c.format}, "output", "o", "output format of the result; here also gobench and markdown")
	f.Var(o.layer.Flag("flavor", "--flavor"), "flavor", "flavors to measure, separated by commas: "+strings.Join(c.Inventory.Set.Names(), ", ")+" (default: the first usable one)")
	f.IntVar(&o.rounds, "rounds", 5, "number of clusters that each side creates")
	f.Var(&o.against, "against", "side that lab is compared with")
	o.setting(f, "kubernetes-version", "cluster.kubernetesVersion", "version, such as v1.37.2, v1.37 or latest (default: that of the flavor)")
	o.setting(f, "image", "cluster.image", "node image (default: that of the flavor)")
	o.setting(f, "workers", "cluster.workers", "number of worker nodes (default: 0); control planes also run pods")
	o.setting(f, "addon", "addons", "addons to install, separated by commas; not with --against tool")
	f.DurationVar(&o.timeout, "timeout", 10*time.Minute, "give up after this time for one cluster")
	return cmd
}

func runBench(c *command, cmd *cobra.Command, o *benchOptions) error {
	ctx := cmd.Context()
	flavors, err := benchFlavors(c, cmd, o)
	if err != nil {
		return err
	}
	o.layer.Flavor = ""
	_, up, err := upRequest(c, &o.upOptions, nil)
	if err != nil {
		return err
	}
	progress := c.progress("")
	defer progress.Close()
	report, err := c.Bench.Run(ctx, bench.Request{
		Flavors: flavors, Rounds: o.rounds, Against: o.against, Up: up, Timeout: o.timeout, Lab: shortVersion(),
	}, progress.Report)
	if err != nil {
		return err
	}
	progress.Close()
	for _, item := range report.Items {
		for _, doubt := range item.Doubts {
			progress.Warn("%s: the result is not believable: %s", item.Flavor, doubt)
		}
	}
	switch c.format {
	case formatGoBench:
		_, err = io.WriteString(c.streams.Out, report.GoBench())
		return err
	case formatMarkdown:
		_, err = io.WriteString(c.streams.Out, report.Markdown())
		return err
	}
	return ui.Print(c.streams.Out, c.format, report, func() ui.View { return benchView(report) })
}

// benchFlavors returns the flavors to measure.
func benchFlavors(c *command, cmd *cobra.Command, o *benchOptions) ([]string, error) {
	requested := cmp.Or(o.layer.Flavor, c.Clusters.Flavor)
	if !c.chooses(requested) {
		flavors := strings.Split(requested, ",")
		for _, flavor := range flavors {
			if _, err := c.Inventory.Set.Get(flavor); err != nil {
				return nil, err
			}
		}
		return flavors, nil
	}
	first, err := c.Inventory.Set.FirstUsable(cmd.Context(), providers.Spec{}.WithDefaults())
	if err != nil {
		return nil, err
	}
	return []string{first.Name()}, nil
}

// shortVersion returns the version of lab in one word.
func shortVersion() string {
	v := buildVersion()
	if v.Version == "(devel)" && v.Commit != "" {
		return v.Commit[:min(12, len(v.Commit))]
	}
	return v.Version
}

func benchView(r bench.Report) ui.View {
	d := &ui.Details{}
	d.Add("Machine", r.Machine)
	d.Add("lab", r.Lab)
	for _, c := range r.Items {
		t := ui.NewTable("", "lab", "peer")
		t.Row("created by", c.Lab.Name, cmp.Or(c.Peer.Version, c.Peer.Name))
		t.Row("time", seconds(c.Lab.Seconds), seconds(c.Peer.Seconds))
		t.Row("processor time", bench.Number(c.Lab.CPUSeconds), bench.Number(c.Peer.CPUSeconds))
		t.Row("peak memory", bench.Size(c.Lab.PeakMemoryBytes), bench.Size(c.Peer.PeakMemoryBytes))
		t.Row("received", bench.Size(c.Lab.ReceivedBytes), bench.Size(c.Peer.ReceivedBytes))
		for _, step := range c.Lab.Longest() {
			t.Row(step.Name, seconds(step.Seconds), "")
		}
		for _, step := range c.Peer.Longest() {
			t.Row(step.Name, "", seconds(step.Seconds))
		}
		t.Row("ratio", c.Ratio, "")
		t.Row("believable", yesNo(c.Believable), "")
		d.Section(fmt.Sprintf("%s (nodes: %d, rounds: %d, medians)", c.Flavor, c.Nodes, len(c.Lab.Rounds)), t)
	}
	return d
}

func seconds(s float64) string { return fmt.Sprintf("%.2f s", s) }

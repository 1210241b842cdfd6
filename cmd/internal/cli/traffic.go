package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/traffic"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TrafficReport is the result of `lab traffic`.
type TrafficReport struct {
	output.Meta
	traffic.Summary
}

func newTraffic(c *command) *cobra.Command {
	var q traffic.Request
	cmd := &cobra.Command{
		Use:   "traffic SERVICE",
		Short: "Send requests to a Service and show which version answers",
		Long: `Send requests to a Service from inside the cluster, at a constant rate, and show which
version answers. End it with --for or Ctrl-C. Change the Deployment in another terminal,
and watch the rollout.

One column is half a second. A block means that one version gave all answers, a digit
how many tenths of them. The row "lost" counts requests without an answer and answers
with a status of 500 or more.

The requests come from a pod with the image of hello, in the namespace of the Service.
traffic deletes the pod at the end. If the cluster cannot pull the image, load it first:
lab image load bin/lab-hello.tar ("make build" writes it). The version is the header
Hello-Version of the answers.

On clusters that simulate pods, no requests are sent: the answers are derived from the
ready endpoints, and the version is the tag of the image.`,
		Example: `  lab traffic web
  lab traffic web --namespace shop --for 30s
  lab traffic web --for 1m -o json > rollout.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return nil
			}
			return fault.WithHint(usage("%s requires the name of one Service", cmd.CommandPath()), "list the Services: lab kubectl -- get services --all-namespaces")
		},
	}
	clusterFlag(c, cmd, &q.Cluster)
	f := cmd.Flags()
	f.StringVar(&q.Namespace, "namespace", "default", "namespace of the Service")
	f.IntVar(&q.Port, "service-port", 0, "port of the Service (default: its first)")
	f.StringVar(&q.Path, "path", "/", "path of the requests")
	f.IntVar(&q.Rate, "rate", 20, "requests a second, from 1 to 1000")
	f.DurationVar(&q.Lasts, "for", 0, "end after this time (default: end with Ctrl-C)")
	f.StringVar(&q.Image, "image", "", "image of the load generator (default: that of hello)")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		q.Service = args[0]
		return runTraffic(c, cmd, q)
	}
	return cmd
}

func runTraffic(c *command, cmd *cobra.Command, q traffic.Request) error {
	switch {
	case q.Rate < 1 || q.Rate > 1000:
		return usage("--rate must be from 1 to 1000, not %d", q.Rate)
	case !strings.HasPrefix(q.Path, "/"):
		return usage("--path must begin with /, not %q", q.Path)
	}
	progress := c.progress(q.Cluster)
	defer progress.Close()
	var screen *ui.Screen
	if c.format == ui.FormatTable && c.mode == ui.ModeAuto {
		screen = ui.NewScreen(c.streams.Out)
	}
	var seen []traffic.Column
	summary, err := c.Traffic.Run(cmd.Context(), q, progress.Report, func(to traffic.Target, column traffic.Column, simulated bool) {
		progress.Close()
		seen = append(seen, column)
		switch {
		case screen != nil:
			screen.Show(trafficChart(to, q, seen, simulated, lastAnswers(column)))
		case c.format == ui.FormatTable:
			_ = ui.PrintView(c.streams.Out, trafficLine(seen))
		}
	})
	if err != nil {
		return err
	}
	to := traffic.Target{Namespace: summary.Namespace, Service: summary.Service}
	if screen != nil {
		screen.Close(trafficChart(to, q, seen, summary.Simulated, summary.Verdict))
		return nil
	}
	report := TrafficReport{output.NewMeta("Traffic"), summary}
	return ui.Print(c.streams.Out, c.format, report, func() ui.View { return trafficChart(to, q, seen, summary.Simulated, summary.Verdict) })
}

// trafficChart returns the picture of all columns.
func trafficChart(to traffic.Target, q traffic.Request, columns []traffic.Column, simulated bool, footer string) ui.View {
	chart := &ui.Chart{Title: fmt.Sprintf("Service %s/%s: %d requests a second", to.Namespace, to.Service, q.Rate), Footer: []string{footer}}
	if simulated {
		chart.Title = fmt.Sprintf("Service %s/%s: simulated, derived from its ready endpoints", to.Namespace, to.Service)
	}
	names := map[string]bool{}
	for _, c := range columns {
		for name := range c.Answers {
			names[name] = true
		}
	}
	lost := ui.ChartRow{Name: "lost", Bad: true}
	for _, c := range columns {
		lost.Cells = append(lost.Cells, min(c.Lost(), ui.Whole))
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		row := ui.ChartRow{Name: name}
		for _, c := range columns {
			row.Cells = append(row.Cells, tenths(c, name))
		}
		chart.Rows = append(chart.Rows, row)
	}
	chart.Rows = append(chart.Rows, lost)
	return chart
}

// tenths returns the share of a version in the answers of a column, in tenths. Only none is 0, and only all are 10.
func tenths(c traffic.Column, name string) int {
	all := 0
	for _, n := range c.Answers {
		all += n
	}
	n := c.Answers[name]
	if n == 0 || n == all {
		return n * ui.Whole / max(all, 1)
	}
	return min(max(n*ui.Whole/all, 1), ui.Whole-1)
}

// lastAnswers describes one column.
func lastAnswers(c traffic.Column) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(c.Answers)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, c.Answers[name]))
	}
	for _, reason := range slices.Sorted(maps.Keys(c.Failed)) {
		parts = append(parts, fmt.Sprintf("lost %d (%s)", c.Failed[reason], reason))
	}
	if c.P95 > 0 {
		parts = append(parts, fmt.Sprintf("95 %% within %.0f ms", c.P95))
	}
	return strings.Join(parts, "  ")
}

// trafficLine returns the line of the last column, for pipes.
func trafficLine(columns []traffic.Column) ui.View {
	last := columns[len(columns)-1]
	since := last.Time.Sub(columns[0].Time).Round(traffic.ColumnTime / 5)
	page := &ui.Page{}
	page.Line(fmt.Sprintf("%6.1fs  %s", since.Seconds(), lastAnswers(last)))
	return page
}

// Package cli implements the command line. The file of a verb has its options, its cobra
// command, and a function that runs it: it calls a use case, and prints the result with package
// ui. No other package of lab imports cobra.
package cli

import (
	"context"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/cmd/internal/bench"
	"github.com/clusterlab-dev/lab/cmd/internal/bundles"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/learning"
	"github.com/clusterlab-dev/lab/cmd/internal/machine"
	"github.com/clusterlab-dev/lab/cmd/internal/packs"
	"github.com/clusterlab-dev/lab/cmd/internal/traffic"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/images/cache"
)

// Env has what commands need from the outside. Package main creates it.
type Env struct {
	Inventory *inventory.Inventory
	Clusters  *clusters.Clusters
	Expiry    *clusters.Expiry
	Runs      *clusters.Runs
	Bench     *bench.Bench
	Images    *clusters.Images
	Snapshots *clusters.Snapshots
	Packs     *packs.Store
	Addons    *clusteraddons.Addons
	Learning  *learning.Learning
	Traffic   *traffic.Traffic
	Doctor    *machine.Doctor
	Tools     *machine.Tools
	Bundles   *bundles.Bundles
	Cache     *cache.Cache
	Dirs      machine.Dirs
	Helm      string // the path of a helm that comes with lab, which need not exist
}

// Main runs a command line and returns its exit code. args do not include the name of the
// program. Main prints the error, if any. If build returns an error, only commands that
// describe lab run: see [command.able].
func Main(ctx context.Context, streams *ui.Streams, build func() (Env, error), args []string) int {
	c := &command{streams: streams, format: ui.FormatTable, mode: ui.ModeAuto, files: inherited()}
	stop := streams.Strays(c.stray)
	err := c.execute(ctx, build, args)
	stop()
	if code, ok := exitCode(err); ok {
		return code
	}
	ui.RenderError(streams, err, ui.ErrorOptions{
		JSON:    c.format == ui.FormatJSON || c.mode == ui.ModeJSON,
		Verbose: c.verbose,
	})
	code, _ := ui.Classify(err)
	return code
}

// command has what all commands share: the environment, the streams and the global flags.
type command struct {
	Env
	streams *ui.Streams
	format  ui.Format
	mode    ui.Mode
	verbose bool
	noColor bool
	verb    string                      // the first argument
	reader  string                      // the flag that reads standard input, or ""
	unbuilt error                       // the error of build
	shown   atomic.Pointer[ui.Progress] // with --verbose, the latest progress
	files   []int                       // descriptors for the user's commands, see inherited
}

func (c *command) execute(ctx context.Context, build func() (Env, error), args []string) (err error) {
	c.foresee(args)
	if c.verbose {
		c.progress("") // shows what libraries log before the command creates its own progress
	}
	if c.verb == verbRun {
		defer func() { err = ownCode(err) }()
	}
	if c.Env, c.unbuilt = build(); c.Inventory == nil {
		return c.unbuilt
	}
	defer c.Dirs.HandBack(os.Getenv, c.Clusters.Kubeconfig.Paths)()
	defer c.sweep()
	root := newRoot(c)
	root.SetArgs(args)
	return explain(ctx, root.ExecuteContext(ctx))
}

// foresee parses the global flags in advance, so that even the error of an unknown flag is
// printed in the requested format.
func (c *command) foresee(args []string) {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.ParseErrorsAllowlist.UnknownFlags = true
	f.Usage = func() {}
	c.globalFlags(f)
	_ = f.Parse(args) // cobra parses args again, and reports errors
	c.verb = f.Arg(0)
}

// stray shows a line that a library logged, if --verbose is set. It runs on another
// goroutine, so it must not read flags.
func (c *command) stray(line string) {
	if shown := c.shown.Load(); shown != nil {
		shown.Note("%s", line)
	}
}

// progress returns a new progress for work on a cluster. cluster is "" for work on several.
func (c *command) progress(cluster string) *ui.Progress {
	p := ui.NewProgress(c.streams, c.mode, ui.ProgressOptions{Cluster: cluster})
	if c.verbose {
		c.shown.Store(p)
	}
	return p
}

// withTimeout is context.WithTimeout, but without a limit if d is 0.
func withTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}

const (
	verbVersion = "version"
	verbDoctor  = "doctor"
)

// able returns the error that keeps a command from running: lab has no directories, or the
// user's configuration is invalid. Commands that only describe lab run anyway. So does lab
// doctor with an invalid configuration, because it reports it.
func (c *command) able(cmd *cobra.Command) error {
	_, path, _ := strings.Cut(cmd.CommandPath(), " ")
	verb, _, _ := strings.Cut(path, " ")
	switch verb {
	case "", verbVersion, "help", "completion":
		return nil
	}
	if c.unbuilt != nil || verb == verbDoctor || strings.HasPrefix(verb, cobra.ShellCompRequestCmd) {
		return c.unbuilt
	}
	return c.Doctor.Misconfigured
}

// Package cli is the command line: one file a verb, each of which turns arguments
// into a call of package lab and its result into a call of package ui. Nothing else
// of lab knows cobra.
package cli

import (
	"context"
	"os"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"

	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

// Env is what commands work with. The composition root makes it.
type Env struct {
	Lab *lab.Lab
}

// Main runs the command line args, without the program's name, and returns the exit
// code. It prints the error, if there is one. What build returns with an error can do no
// more than tell of itself: see [command.able].
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

// command is one call of the program: what it works with, and the global flags.
type command struct {
	Env
	streams *ui.Streams
	format  ui.Format
	mode    ui.Mode
	verbose bool
	noColor bool
	verb    string                      // as typed
	reader  string                      // the flag that reads standard input, or ""
	unbuilt error                       // why there is nothing to work with
	shown   atomic.Pointer[ui.Progress] // the last one with --verbose, if any
	files   []int                       // descriptors that a command of the user's inherits, see inherited
}

func (c *command) execute(ctx context.Context, build func() (Env, error), args []string) (err error) {
	c.foresee(args)
	if c.verbose {
		c.progress("") // for what libraries log before, or without, a progress of the command's own
	}
	if c.verb == verbRun {
		defer func() { err = ownCode(err) }()
	}
	if c.Env, c.unbuilt = build(); c.Lab == nil {
		return c.unbuilt
	}
	defer c.Lab.HandBack(os.Getenv)()
	defer c.sweep()
	root := c.root()
	root.SetArgs(args)
	return explain(ctx, root.ExecuteContext(ctx))
}

// foresee sets the global flags before anything can go wrong, wrong flags included:
// whoever asked for errors that programs can read gets those, too.
func (c *command) foresee(args []string) {
	f := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.ParseErrorsAllowlist.UnknownFlags = true
	f.Usage = func() {}
	c.globalFlags(f)
	_ = f.Parse(args) // again, and for good, with the command's own flags
	c.verb = f.Arg(0)
}

// stray handles a line that a library logs by itself: only --verbose shows it. It is called on
// a goroutine of its own, so it reads no flag.
func (c *command) stray(line string) {
	if shown := c.shown.Load(); shown != nil {
		shown.Note("%s", line)
	}
}

// progress returns what shows the work on a cluster; "" where it is on several.
func (c *command) progress(cluster string) *ui.Progress {
	p := ui.NewProgress(c.streams, c.mode, ui.ProgressOptions{Cluster: cluster})
	if c.verbose {
		c.shown.Store(p)
	}
	return p
}

// withTimeout bounds the work of a command; 0 does not.
func withTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}

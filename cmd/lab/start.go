package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/cli"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

// start runs the program and returns its exit code. The first signal interrupts it. A signal
// after cli.SameInterruption ends it immediately.
func start(build func() (cli.Env, error)) int {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	// Signals that are ignored, as hangups under nohup, must stay ignored. Notify would end that.
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	go func() {
		<-signals
		cancel()
		<-time.After(cli.SameInterruption)
		signal.Stop(signals) // from now on, a signal ends the process
	}()
	// In `lab up 2>&1 | tee log`, Ctrl-C ends tee, too. SIGPIPE must not end lab before it has
	// cleaned up.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return cli.Main(ctx, ui.System(), build, os.Args[1:])
}

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

// start is the program, whatever it is built of, until it ends or is ended, and returns
// its exit code.
func start(build func() (cli.Env, error)) int {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	// Listening to a signal would end that it is ignored, as hangups are under nohup.
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	go func() {
		<-signals
		cancel()
		<-time.After(cli.SameInterruption)
		signal.Stop(signals) // from now on, a signal ends lab at once
	}()
	// In `lab up 2>&1 | tee log`, Ctrl-C ends tee, too, and must not end lab before it cleaned up.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return cli.Main(ctx, ui.System(), build, os.Args[1:])
}

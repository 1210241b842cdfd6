package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/clusterlab-dev/lab/cmd/internal/cli"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

// start is the program, whatever it is built of, until it ends or is ended, and returns
// its exit code.
func start(build func() (cli.Env, error)) int {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		ends = append(ends, syscall.SIGHUP) // the terminal was closed
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	context.AfterFunc(ctx, stop) // a second signal ends lab at once
	// In `lab up 2>&1 | tee log`, Ctrl-C ends tee, too, and must not end lab before it cleaned up.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	return cli.Main(ctx, ui.System(), build, os.Args[1:])
}

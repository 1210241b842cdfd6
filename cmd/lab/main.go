// Command lab makes local Kubernetes labs.
package main

import (
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/clusterlab-dev/lab/cmd/internal/cli"
	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/kwok"
)

func main() {
	ends := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as under nohup
		ends = append(ends, syscall.SIGHUP) // the terminal was closed
	}
	ctx, stop := signal.NotifyContext(context.Background(), ends...)
	context.AfterFunc(ctx, stop) // a second signal ends lab at once
	// In `lab up 2>&1 | tee log`, Ctrl-C ends tee, too, and must not end lab before it cleaned up.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	os.Exit(cli.Main(ctx, ui.System(), build, os.Args[1:]))
}

// build puts the program together.
func build() (cli.Env, error) {
	dirs, err := lab.FindDirs(os.Getenv)
	if err != nil {
		return cli.Env{}, err
	}
	simulated := kwok.New(kwok.Options{Dir: filepath.Join(dirs.State, "kwok"), BinDirs: []string{dirs.Bin}})
	set, err := providers.NewSet(append(planned(), simulated)...)
	return cli.Env{Lab: lab.New(dirs, set, probe.API{}), Engine: simulated.Engine}, err
}

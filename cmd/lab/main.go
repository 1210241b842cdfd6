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
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends lab at once
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

// Command lab makes local Kubernetes labs.
package main

import (
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/cmd/internal/cli"
	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/kwok"
)

func main() { os.Exit(start(build)) }

// build puts the program together.
func build() (cli.Env, error) {
	dirs, err := lab.FindDirs(os.Getenv)
	if err != nil {
		return cli.Env{}, err
	}
	simulated := kwok.New(kwok.Options{Dir: filepath.Join(dirs.State, "kwok"), BinDirs: []string{dirs.Bin}})
	set, err := providers.NewSet(append(planned(), simulated)...)
	l := lab.New(dirs, set, probe.API{})
	l.Addons = addonTools(dirs)
	return cli.Env{Lab: l, Engine: simulated.Engine}, err
}

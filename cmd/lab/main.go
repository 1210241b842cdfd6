// Command lab makes local Kubernetes labs.
package main

import (
	"cmp"
	"os"
	"path/filepath"
	_ "time/tzdata" // TZ counts on machines that have no database of time zones, too

	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/cmd/internal/cli"
	"github.com/clusterlab-dev/lab/cmd/internal/config"
	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/k3d"
	"github.com/clusterlab-dev/lab/providers/kind"
	"github.com/clusterlab-dev/lab/providers/kwok"
	"github.com/clusterlab-dev/lab/providers/minikube"
)

func main() { os.Exit(start(build)) }

// build puts the program together, on an error too: it can tell of itself all the same.
func build() (cli.Env, error) {
	dirs, noDirs := lab.FindDirs(os.Getenv)
	user, misconfigured := config.Load(os.Getenv, dirs.Config)
	nodes := kind.New(kind.Options{NodeImage: user.Images.Kind.Node, CAFile: user.CAFile, Registries: user.Registries, Dir: filepath.Join(dirs.State, "kind")})
	small := k3d.New(k3d.Options{NodeImage: user.Images.K3d.Node, LoadBalancerImage: user.Images.K3d.LoadBalancer,
		ToolsImage: user.Images.K3d.Tools, CAFile: user.CAFile, Registries: user.Registries})
	machines := minikube.New(minikube.Options{BaseImage: user.Images.Minikube.Base, ExtraArgs: user.Minikube.ExtraArgs,
		Registries: user.Registries, CAFile: user.CAFile, Dir: filepath.Join(dirs.State, "minikube"), BinDirs: []string{dirs.Bin}})
	simulated := kwok.New(kwok.Options{Dir: filepath.Join(dirs.State, "kwok"), BinDirs: []string{dirs.Bin}})
	set, err := providers.NewSet(nodes, small, machines, simulated)
	l := lab.New(dirs, set, probe.API{})
	l.Flavor, l.Misconfigured = user.Flavor, misconfigured
	l.Addons = addonTools(dirs, user)
	l.Installer.Client = func(caFile string) (download.Client, error) {
		return download.New(download.Options{CAFiles: []string{cmp.Or(caFile, user.CAFile)}})
	}
	return cli.Env{Lab: l, Engine: simulated.Engine}, cmp.Or(noDirs, err)
}

// Command lab creates local Kubernetes labs.
package main

import (
	"cmp"
	"os"
	"path/filepath"
	_ "time/tzdata" // so that TZ works on machines without a time zone database

	"github.com/clusterlab-dev/lab/cmd/internal/cli"
	"github.com/clusterlab-dev/lab/cmd/internal/config"
	"github.com/clusterlab-dev/lab/cmd/internal/machine"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/k3d"
	"github.com/clusterlab-dev/lab/providers/kind"
	"github.com/clusterlab-dev/lab/providers/kwok"
	"github.com/clusterlab-dev/lab/providers/minikube"
)

func main() { os.Exit(start(build)) }

// flavors returns the flavors in the order in which --flavor auto tries them.
func flavors() []providers.Flavor {
	return []providers.Flavor{kind.Flavor(), k3d.Flavor(), minikube.Flavor(), kwok.Flavor()}
}

// build builds the program. On an error it still returns what commands such as version and help need.
func build() (cli.Env, error) {
	dirs, noDirs := machine.FindDirs(os.Getenv)
	user, set, misconfigured, err := configure(dirs, flavors())
	env := assemble(dirs, set, probe.API{}, user)
	env.Doctor.Misconfigured = misconfigured
	return env, cmp.Or(noDirs, err)
}

// configure reads the user's configuration and creates the flavors as it says. If the configuration
// is not valid, the flavors are not configured, and misconfigured is the reason.
func configure(dirs machine.Dirs, flavors []providers.Flavor) (user config.Config, set *providers.Set, misconfigured, err error) {
	user, misconfigured = config.Load(os.Getenv, dirs.Config, flavors...)
	var all []providers.Provider
	for _, f := range flavors {
		all = append(all, f.New(providers.Setup{
			Dir: filepath.Join(dirs.State, f.Name), BinDirs: []string{dirs.Bin},
			CAFile: user.CAFile, Registries: user.Registries, Cache: started(imageCache(dirs, user), user),
		}))
	}
	set, err = providers.NewSet(all...)
	return user, set, misconfigured, err
}

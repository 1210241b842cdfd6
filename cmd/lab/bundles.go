package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/addons/charts"
	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/cmd/internal/bundles"
	"github.com/clusterlab-dev/lab/cmd/internal/cli"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/config"
	"github.com/clusterlab-dev/lab/cmd/internal/machine"
	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/images/store"
)

// bundlesOf returns the use case of bundles.
func bundlesOf(dirs machine.Dirs, c *clusters.Clusters, user config.Config) *bundles.Bundles {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	client := func(ca []byte) (download.Client, error) {
		if ca != nil {
			return download.New(download.Options{CA: ca})
		}
		return download.New(download.Options{CAFiles: []string{user.CAFile}})
	}
	return &bundles.Bundles{
		Store: store.Open(filepath.Join(dirs.Cache, "images"), store.Options{}), Set: c.Inventory.Set, Clusters: c,
		Tools: tools.Installer{Dir: dirs.Bin, Platform: platform, Catalog: tools.Builtin, Client: client},
		Dir:   os.TempDir(), Platform: platform, Lab: cli.BuildVersion(),
		Programs: programs, Registries: user.Registries, Client: client,
		KeepChart: charts.New(charts.Options{Dir: filepath.Join(dirs.Cache, "charts")}).Keep,
		Missing: func(program string) bool {
			_, err := os.Stat(companion(dirs, program))
			_, onPath := exec.LookPath(program)
			return program != "lab" && err != nil && onPath != nil
		},
	}
}

// helloArchive is the archive of the images of exercises.
const helloArchive = "lab-hello.tar"

// programs returns the paths of lab and of the files that belong to it, which are next to this program. A program with
// another name than lab is not among them.
func programs() []string {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	all, _ := filepath.Glob(filepath.Join(filepath.Dir(self), "lab*")) // the pattern is valid
	return slices.DeleteFunc(all, func(path string) bool {
		return !bundles.IsProgram(strings.TrimSuffix(filepath.Base(path), ".exe"))
	})
}

// companion returns the path of a file that belongs to this program: next to it, or else where an import installs it.
func companion(dirs machine.Dirs, name string) string {
	if path := beside(name); path != "" {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return filepath.Join(dirs.Bin, name)
}

package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/charts"
	"github.com/clusterlab-dev/lab/addons/helm"
	"github.com/clusterlab-dev/lab/addons/ready"
	"github.com/clusterlab-dev/lab/cmd/internal/bench"
	"github.com/clusterlab-dev/lab/cmd/internal/cli"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/config"
	"github.com/clusterlab-dev/lab/cmd/internal/doctor"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/cmd/internal/learning"
	"github.com/clusterlab-dev/lab/cmd/internal/machine"
	"github.com/clusterlab-dev/lab/cmd/internal/packs"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/snapshots"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/cmd/internal/traffic"
	"github.com/clusterlab-dev/lab/exercises/live"
	"github.com/clusterlab-dev/lab/images/cache"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/imagebuild"
	"github.com/clusterlab-dev/lab/providers/imagecache"
)

// assemble returns the use cases for the flavors of set. They keep their files in dirs.
func assemble(dirs machine.Dirs, set *providers.Set, prober inventory.Prober, user config.Config) cli.Env {
	i := &inventory.Inventory{Set: set, State: state.Open(dirs.State), Probe: prober, Now: time.Now}
	a := &clusteraddons.Addons{Inventory: i, ConfigDir: dirs.Config, Tools: addonTools(dirs, user)}
	c := &clusters.Clusters{Inventory: i, Addons: a, Kubeconfig: kubeconfig.FromEnv(os.Getenv, dirs.Home), Flavor: user.Flavor,
		Snapshots: snapshots.Open(dirs.State), PodImages: probe.API{}.Images}
	e := &clusters.Expiry{Clusters: c}
	runs := &clusters.Runs{Clusters: c}
	saved := &clusters.Snapshots{Clusters: c}
	requests := &traffic.Traffic{Inventory: i, Connect: traffic.Connect, Image: user.HelloImage}
	this := doctor.This(dirs.State, dirs.Bin, set.All()...)
	b := bundlesOf(dirs, c, user)
	c.Imported = b
	return cli.Env{
		Bundles:   b,
		Packs:     packStore(dirs, user),
		Inventory: i, Clusters: c, Addons: a, Expiry: e, Dirs: dirs, Helm: companion(dirs, "lab-helm"),
		Runs:      runs,
		Bench:     &bench.Bench{Inventory: i, Runs: runs, Snapshots: saved, Cold: cold(c, dirs, user), Meter: bench.Proc("/proc"), Rest: bench.Rest},
		Images:    &clusters.Images{Inventory: i, Builder: imagebuild.Docker{}, Imported: b},
		Snapshots: saved,
		Learning:  &learning.Learning{Inventory: i, Addons: a, Traffic: requests, Dir: filepath.Join(dirs.State, "learning"), Connect: live.Connect, Images: companion(dirs, helloArchive)},
		Traffic:   requests,
		Doctor:    &machine.Doctor{Machine: this, Inventory: i, Expiry: e, Kubeconfig: c.Kubeconfig},
		Tools:     &machine.Tools{Machine: this, Inventory: i, Installer: b.Tools, Stored: b.Stored},
		Cache:     imageCache(dirs, user),
	}
}

// imageCache returns the image cache of this user.
func imageCache(dirs machine.Dirs, user config.Config) *cache.Cache {
	dir := filepath.Join(dirs.Cache, "images")
	return &cache.Cache{
		Dir:        dir,
		Mark:       filepath.Join(dirs.State, "image-cache"),
		Registries: cache.Registries(user.Registries, imagecache.Name(dir)),
		Container:  imagecache.Docker{CAFile: user.CAFile},
	}
}

// started returns the image cache for the nodes of clusters, or nil if the user has not started it, or turned it off.
func started(c *cache.Cache, user config.Config) *providers.ImageCache {
	if user.Cache == "off" || !c.Started() {
		return nil
	}
	return &providers.ImageCache{Container: imagecache.Name(c.Dir), Registries: slices.Sorted(maps.Keys(c.Registries))}
}

// cold returns a function that returns the use case of runs with another cache.
func cold(c *clusters.Clusters, dirs machine.Dirs, user config.Config) func(cache string) *clusters.Runs {
	return func(cache string) *clusters.Runs {
		dirs, a, c := dirs, *c.Addons, *c
		dirs.Cache = cache
		a.Tools, c.Addons = addonTools(dirs, user), &a
		return &clusters.Runs{Clusters: &c}
	}
}

// packStore returns the packs of the user. Registries are asked as for charts.
func packStore(dirs machine.Dirs, user config.Config) *packs.Store {
	return &packs.Store{
		Dir: filepath.Join(dirs.State, "packs"), Builtin: learning.BuiltinPack, Now: time.Now,
		Fetch: charts.New(charts.Options{CAFile: user.CAFile}).Artifact,
	}
}

// addonTools returns the implementations for real clusters, configured as the user says.
func addonTools(dirs machine.Dirs, user config.Config) clusteraddons.Tools {
	values := map[string]addons.Values{}
	if image := user.HelloImage; image != "" {
		values["hello"] = addons.Values{"image": image}
	}
	return clusteraddons.Tools{
		Source: func(offline bool, ca []byte) addons.Source {
			options := charts.Options{Dir: filepath.Join(dirs.Cache, "charts"), Offline: offline, CA: ca}
			if ca == nil {
				options.CAFile = user.CAFile
			}
			return charts.New(options)
		},
		Installer: helm.Installer{},
		Checker:   ready.API{},
		Set:       helm.Set,
		Images:    helm.Images,
		Values:    values,
	}
}

// beside returns the path of a file next to the program, or "" if that is unknown.
func beside(name string) string {
	self, err := os.Executable()
	if err != nil {
		return ""
	}
	return filepath.Join(filepath.Dir(self), name)
}

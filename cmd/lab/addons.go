package main

import (
	"cmp"
	"path/filepath"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/charts"
	"github.com/clusterlab-dev/lab/addons/helm"
	"github.com/clusterlab-dev/lab/addons/ready"
	"github.com/clusterlab-dev/lab/cmd/internal/config"
	"github.com/clusterlab-dev/lab/cmd/internal/lab"
)

// addonTools returns the implementations for real clusters, configured as the user says.
func addonTools(dirs lab.Dirs, user config.Config) lab.AddonTools {
	values := map[string]addons.Values{}
	if image := user.HelloImage; image != "" {
		values["hello"] = addons.Values{"image": image}
	}
	return lab.AddonTools{
		Source: func(offline bool, caFile string) addons.Source {
			return charts.New(charts.Options{Dir: filepath.Join(dirs.Cache, "charts"), Offline: offline, CAFile: cmp.Or(caFile, user.CAFile)})
		},
		Installer: helm.Installer{},
		Checker:   ready.API{},
		Set:       helm.Set,
		Values:    values,
	}
}

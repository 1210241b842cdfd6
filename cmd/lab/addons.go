package main

import (
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
		Values:    values,
	}
}

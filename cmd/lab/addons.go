package main

import (
	"path/filepath"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/charts"
	"github.com/clusterlab-dev/lab/addons/helm"
	"github.com/clusterlab-dev/lab/addons/ready"
	"github.com/clusterlab-dev/lab/cmd/internal/lab"
)

// addonTools are those that work on real clusters. helloImage is the image of hello where
// the public registries cannot be reached, or "".
func addonTools(dirs lab.Dirs, helloImage string) lab.AddonTools {
	values := map[string]addons.Values{}
	if helloImage != "" {
		values["hello"] = addons.Values{"image": helloImage}
	}
	return lab.AddonTools{
		Source: func(offline bool, caFile string) addons.Source {
			return charts.New(charts.Options{Dir: filepath.Join(dirs.Cache, "charts"), Offline: offline, CAFile: caFile})
		},
		Installer: helm.Installer{},
		Checker:   ready.API{},
		Values:    values,
	}
}

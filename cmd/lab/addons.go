package main

import (
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/charts"
	"github.com/clusterlab-dev/lab/addons/helm"
	"github.com/clusterlab-dev/lab/addons/ready"
	"github.com/clusterlab-dev/lab/cmd/internal/lab"
)

// helloImage is the variable that names the image of hello, for networks without the
// public registries.
const helloImage = "LAB_IMAGES_HELLO"

// addonTools are those that work on real clusters.
func addonTools(dirs lab.Dirs) lab.AddonTools {
	values := map[string]addons.Values{}
	if image := os.Getenv(helloImage); image != "" {
		values["hello"] = addons.Values{"image": image}
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

//go:build linux

package main

import (
	"encoding/json"
	"io"
	"os"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/images"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/programs"
)

// shown is the output of show: the flags and files with which the tools' own commands use the images.
type shown struct {
	Dir           string
	Hello         string // in every node of the test bed
	HelloNew      string // only in the Docker Engine
	MetricsServer string
	MinikubeHome  string
	Flavors       map[string]shownFlavor // by name; empty with the published images
	Observability string                 // a file for `lab up -f`
	LogsTag       string                 // of the images of VictoriaLogs and its agent in the Docker Engine; "" with the published images
}

// shownFlavor contains the flags and the environment with which a tool's own command creates a cluster.
type shownFlavor struct{ Args, Env []string }

// show writes the flags for the test bed's images, or for the published images, as JSON.
func (b bed) show(w io.Writer) error {
	s := shown{Dir: b.dir, Hello: images.Hello, HelloNew: images.HelloNew, MetricsServer: images.MetricsServer, MinikubeHome: b.minikubeHome()}
	if !published() {
		s.Observability, s.LogsTag = b.observabilityFile(), programs.Logs
		s.Flavors = map[string]shownFlavor{}
		for _, f := range flavors() {
			s.Flavors[f.name] = shownFlavor{f.args, f.env}
		}
	}
	return json.NewEncoder(w).Encode(s)
}

// published reports whether to use the published images instead of the test bed's.
func published() bool { return os.Getenv("LAB_E2E_IMAGES") == "upstream" }

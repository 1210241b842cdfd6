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
	Kind          []string // flags of `kind create cluster`
	K3d           []string // flags of `k3d cluster create`
	K3dEnv        []string
	Minikube      []string // flags of `minikube start`
	MinikubeHome  string
	Observability string // a file for `lab up -f`
}

// show writes the flags for the test bed's images, or for the published images, as JSON.
func (b bed) show(w io.Writer) error {
	s := shown{Dir: b.dir, Hello: images.Hello, HelloNew: images.HelloNew, MetricsServer: images.MetricsServer, MinikubeHome: b.minikubeHome()}
	if !published() {
		s.K3d = []string{"--image=" + images.K3sNode}
		s.K3dEnv = []string{"K3D_IMAGE_LOADBALANCER=" + images.K3dProxy, "K3D_IMAGE_TOOLS=" + images.K3dTools}
		s.Kind = []string{"--image=" + images.KindNode}
		s.Observability = b.observabilityFile()
		s.Minikube = append([]string{"--base-image=" + images.MinikubeBase, "--kubernetes-version=" + programs.Kubernetes},
			minikubeArgs()...)
	}
	return json.NewEncoder(w).Encode(s)
}

// published reports whether to use the published images instead of the test bed's.
func published() bool { return os.Getenv("LAB_E2E_IMAGES") == "upstream" }

//go:build linux

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/images"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/programs"
)

// flavor is what clusters of a flavor need to use the test bed's images.
type flavor struct {
	name      string
	images    map[string]string // by their key below images.NAME in the user configuration
	extraArgs []string          // the key NAME.extraArgs; nil if the flavor has none

	// The flags and the environment with which the tool's own command uses the images.
	args, env []string
}

// flavors returns the flavors that use images of the test bed.
func flavors() []flavor {
	version := "--kubernetes-version=" + programs.Kubernetes
	return []flavor{
		{
			name: "kind", images: map[string]string{"node": images.KindNode},
			args: []string{"--image=" + images.KindNode},
		},
		{
			name:   "k3d",
			images: map[string]string{"node": images.K3sNode, "tools": images.K3dTools, "loadBalancer": images.K3dProxy},
			args:   []string{"--image=" + images.K3sNode},
			env:    []string{"K3D_IMAGE_LOADBALANCER=" + images.K3dProxy, "K3D_IMAGE_TOOLS=" + images.K3dTools},
		},
		{
			name: "minikube", images: map[string]string{"base": images.MinikubeBase},
			extraArgs: append([]string{version}, minikubeArgs()...),
			args:      append([]string{"--base-image=" + images.MinikubeBase, version}, minikubeArgs()...),
		},
	}
}

// configFile returns the user configuration that names the images.
func configFile() string {
	var b, own strings.Builder
	b.WriteString("apiVersion: lab/v1alpha1\nkind: Config\nimages:\n")
	for _, f := range flavors() {
		fmt.Fprintf(&b, "  %s:\n", f.name)
		for _, key := range slices.Sorted(maps.Keys(f.images)) {
			fmt.Fprintf(&b, "    %s: %q\n", key, f.images[key])
		}
		if f.extraArgs != nil {
			fmt.Fprintf(&own, "%s:\n  extraArgs: [\"%s\"]\n", f.name, strings.Join(f.extraArgs, `", "`))
		}
	}
	fmt.Fprintf(&b, "  hello: %q\n", images.Hello)
	return b.String() + own.String()
}

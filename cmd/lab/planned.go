package main

import "github.com/clusterlab-dev/lab/providers"

// planned are the flavors that are still to come, in order of preference.
func planned() []providers.Provider {
	return []providers.Provider{
		providers.Planned("minikube", providers.Description{
			Summary:      "a cluster in a container or a virtual machine, with many addons of its own",
			Nodes:        "containers or virtual machines, made by kubeadm",
			Runtime:      "containerd, Docker or CRI-O",
			CNI:          "bridge, or one of several",
			Mounts:       "one directory",
			Addons:       "dozens, switched on by name",
			Unprivileged: "with rootless Docker or Podman",
			Vanilla:      true,
			Homepage:     "https://minikube.sigs.k8s.io",
		}, "kind", "k3d", "kwok"),
	}
}

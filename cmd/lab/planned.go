package main

import "github.com/clusterlab-dev/lab/providers"

// planned are the flavors that are still to come, in order of preference.
func planned() []providers.Provider {
	return []providers.Provider{
		providers.Planned("k3d", providers.Description{
			Summary:      "k3s in Docker: small and quick, with a load balancer before the nodes",
			Nodes:        "containers that run k3s",
			Runtime:      "containerd",
			CNI:          "flannel",
			Mounts:       "any number, on every node",
			Addons:       "Traefik, metrics-server, a service load balancer, a local storage class",
			Unprivileged: "with rootless Docker",
			Homepage:     "https://k3d.io",
		}, "kind", "kwok"),
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
		}, "kind", "kwok"),
	}
}

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
		}, "kind", "minikube", "kwok"),
	}
}

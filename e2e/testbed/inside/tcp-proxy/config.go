package main

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// routes maps ports to the addresses of their servers.
type routes map[int][]string

func readYAML(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// readK3d reads ports such as "6443.tcp" and their servers. It skips UDP ports, which tcp-proxy does not support.
func readK3d(path string) (routes, error) {
	var config struct {
		Ports map[string][]string `json:"ports"`
	}
	if err := readYAML(path, &config); err != nil {
		return nil, err
	}
	all := routes{}
	for name, servers := range config.Ports {
		number, protocol, _ := strings.Cut(name, ".")
		port, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("%s: port %q: %w", path, name, err)
		}
		if protocol != "tcp" {
			continue
		}
		for _, server := range servers {
			all[port] = append(all[port], net.JoinHostPort(server, number))
		}
	}
	return all, nil
}

type socketAddress struct {
	SocketAddress struct {
		Address string `json:"address"`
		Port    int    `json:"port_value"`
	} `json:"socket_address"`
}

// readEnvoy reads the listener and the cluster that kind writes.
func readEnvoy(listeners, clusters string) (routes, error) {
	var lds struct {
		Resources []struct {
			Address socketAddress `json:"address"`
		} `json:"resources"`
	}
	var cds struct {
		Resources []struct {
			LoadAssignment struct {
				Endpoints []struct {
					LBEndpoints []struct {
						Endpoint struct {
							Address socketAddress `json:"address"`
						} `json:"endpoint"`
					} `json:"lb_endpoints"`
				} `json:"endpoints"`
			} `json:"load_assignment"`
		} `json:"resources"`
	}
	if err := readYAML(listeners, &lds); err != nil {
		return nil, err
	}
	if err := readYAML(clusters, &cds); err != nil {
		return nil, err
	}
	all := routes{}
	for _, listener := range lds.Resources {
		port := listener.Address.SocketAddress.Port
		for _, cluster := range cds.Resources {
			for _, group := range cluster.LoadAssignment.Endpoints {
				for _, e := range group.LBEndpoints {
					a := e.Endpoint.Address.SocketAddress
					all[port] = append(all[port], net.JoinHostPort(a.Address, strconv.Itoa(a.Port)))
				}
			}
		}
	}
	return all, nil
}

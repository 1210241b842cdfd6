package k3d

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/docker/go-connections/nat"
	"github.com/k3d-io/k3d/v5/pkg/client"
	"github.com/k3d-io/k3d/v5/pkg/config/v1alpha5"
	"github.com/k3d-io/k3d/v5/pkg/runtimes"
	k3d "github.com/k3d-io/k3d/v5/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// labelBalancer is a label of the servers of a cluster; its value is a balancer as JSON. k3d
// itself keeps the published ports in the container of the load balancer only.
const labelBalancer = "clusterlab.dev/load-balancer"

// balancer is what the load balancer of a cluster is created from.
type balancer struct {
	Image  string                 `json:"image"`
	Ports  nat.PortMap            `json:"ports"`
	Labels map[string]string      `json:"labels"`
	Config k3d.LoadbalancerConfig `json:"config"`
}

// rememberBalancer labels the servers with the data of the load balancer.
func rememberBalancer(full *v1alpha5.ClusterConfig) error {
	lb := full.ServerLoadBalancer
	if lb == nil || lb.Node == nil || lb.Config == nil {
		return nil
	}
	text, err := json.Marshal(balancer{Image: lb.Node.Image, Ports: lb.Node.Ports, Labels: lb.Node.RuntimeLabels, Config: *lb.Config})
	if err != nil {
		return err
	}
	for _, n := range full.Nodes {
		if n.Role != k3d.ServerRole {
			continue
		}
		if n.RuntimeLabels == nil {
			n.RuntimeLabels = map[string]string{}
		}
		n.RuntimeLabels[labelBalancer] = string(text)
	}
	return nil
}

// rebalance recreates the load balancer of a cluster from the label of its first server.
func rebalance(ctx context.Context, nodes []docker.Container) error {
	first, _ := containers().First(nodes)
	labels := first.Config.Labels
	var b balancer
	if err := json.Unmarshal([]byte(labels[labelBalancer]), &b); err != nil {
		return fmt.Errorf("label %s of %s: %w", labelBalancer, first.Name, err)
	}
	config, err := yaml.Marshal(b.Config)
	if err != nil {
		return err
	}
	node := &k3d.Node{
		Name: containerName(labels[k3d.LabelClusterName], "serverlb"), Image: b.Image, Ports: b.Ports, Role: k3d.LoadBalancerRole,
		Networks: []string{labels[k3d.LabelNetwork]}, RuntimeLabels: map[string]string{}, Restart: true,
	}
	for key, value := range labels {
		if strings.HasPrefix(key, k3d.LabelClusterName) { // the labels that all containers of the cluster have
			node.RuntimeLabels[key] = value
		}
	}
	for key, value := range b.Labels {
		node.RuntimeLabels[key] = value
	}
	if err := client.NodeCreate(ctx, runtimes.Docker, node, k3d.NodeCreateOpts{}); err != nil {
		return explain(err)
	}
	if err := runtimes.Docker.WriteToNode(ctx, config, k3d.DefaultLoadbalancerConfigPath, 0o744, node); err != nil {
		return explain(err)
	}
	return nil
}

// remakeNetwork has k3d recreate the network of a cluster with its former addresses. If another
// network uses them, it gets other ones, unless servers refer to one another by address.
func remakeNetwork(ctx context.Context, name string, nodes []docker.Container) error {
	first, _ := containers().First(nodes)
	network := &k3d.ClusterNetwork{Name: name}
	if had, err := netip.ParsePrefix(first.Config.Labels[k3d.LabelNetworkIPRange]); err == nil {
		network.IPAM.IPPrefix = had.Masked()
	}
	_, _, err := runtimes.Docker.CreateNetworkIfNotPresent(ctx, network)
	fixed := slices.ContainsFunc(nodes, func(n docker.Container) bool { return n.NetworkSettings.Networks[name].IPAMConfig.IPv4Address != "" })
	if docker.IsOverlap(err) && !fixed {
		_, _, err = runtimes.Docker.CreateNetworkIfNotPresent(ctx, &k3d.ClusterNetwork{Name: name})
	}
	return explain(err)
}

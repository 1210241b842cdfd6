// Package nodenet is the test bed's pod network. Each node gives its pods addresses from its own range, and has a
// route to the range of every other node. It stands in for kindnet in kind's nodes and for flannel in the k3s
// stand-in.
package nodenet

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// Node is the network of the node on which this program runs.
type Node struct {
	Name    string // its name in Kubernetes
	Cluster string // the range of all pods' addresses; traffic that leaves it gets the node's address
	Dir     string // the directory of CNI configurations
	Log     io.Writer

	routes map[string]string // the current routes: other nodes' addresses by the range of their pods
}

// Run updates the network to match the cluster's nodes until ctx ends.
func (n *Node) Run(ctx context.Context, client kubernetes.Interface) error {
	factory := informers.NewSharedInformerFactory(client, time.Minute)
	nodes := factory.Core().V1().Nodes()
	changed := make(chan struct{}, 1)
	wake := func() {
		select {
		case changed <- struct{}{}:
		default: // an update is due already
		}
	}
	if _, err := nodes.Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { wake() },
		UpdateFunc: func(any, any) { wake() },
		DeleteFunc: func(any) { wake() },
	}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	defer factory.Shutdown()
	if err := n.masquerade(ctx); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
			all, err := nodes.Lister().List(labels.Everything())
			if err != nil {
				return err
			}
			if err := n.apply(ctx, all); err != nil {
				fmt.Fprintln(n.Log, "node-network:", err) // the next event or resync retries
			}
		}
	}
}

func (n *Node) apply(ctx context.Context, nodes []*corev1.Node) error {
	routes := map[string]string{}
	for _, node := range nodes {
		switch {
		case node.Spec.PodCIDR == "":
		case node.Name == n.Name:
			if err := n.configure(node.Spec.PodCIDR); err != nil {
				return err
			}
		default:
			routes[node.Spec.PodCIDR] = address(node)
		}
	}
	if maps.Equal(routes, n.routes) {
		return nil
	}
	for _, cidr := range slices.Sorted(maps.Keys(routes)) {
		if err := run(ctx, "ip", "route", "replace", cidr, "via", routes[cidr]); err != nil {
			return err
		}
	}
	for cidr := range n.routes {
		if routes[cidr] == "" {
			_ = run(ctx, "ip", "route", "del", cidr)
		}
	}
	n.routes = routes
	return nil
}

func address(node *corev1.Node) string {
	for _, a := range node.Status.Addresses {
		if a.Type == corev1.NodeInternalIP {
			return a.Address
		}
	}
	return ""
}

// configure writes the CNI configuration of this node, if it is missing.
func (n *Node) configure(cidr string) error {
	config := fmt.Sprintf(`{
  "cniVersion": "1.0.0",
  "name": "lab",
  "plugins": [
    {"type": "ptp", "ipam": {"type": "host-local", "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
`, cidr)
	path := filepath.Join(n.Dir, "10-lab.conflist")
	if old, err := os.ReadFile(path); err == nil && string(old) == config {
		return nil
	}
	if err := os.MkdirAll(n.Dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".part", []byte(config), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// masquerade gives traffic from pods to the outside the node's address. It adds the rule once.
func (n *Node) masquerade(ctx context.Context) error {
	rule := []string{"POSTROUTING", "-s", n.Cluster, "!", "-d", n.Cluster, "-j", "MASQUERADE"}
	if run(ctx, "iptables", append([]string{"-w", "-t", "nat", "-C"}, rule...)...) == nil {
		return nil
	}
	return run(ctx, "iptables", append([]string{"-w", "-t", "nat", "-A"}, rule...)...)
}

func run(ctx context.Context, name string, args ...string) error {
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

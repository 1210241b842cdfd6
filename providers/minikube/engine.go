package minikube

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// label is minikube's label of containers, volumes and networks; its value is the name of the
// node or, for a network, of the cluster.
const label = "name.minikube.sigs.k8s.io"

// authorizedKeys is the file of the keys that a node accepts.
const authorizedKeys = "/home/docker/.ssh/authorized_keys"

// serverCertificate is the certificate of the API server in a node.
const serverCertificate = "/var/lib/minikube/certs/apiserver.crt"

// engine has the objects of minikube's clusters in the Docker Engine, as a home explains them.
type engine struct{ home home }

// containers describes how minikube's clusters are recognized by their containers. minikube
// sets no restart policy.
func (e engine) containers() nodes.Tool {
	return nodes.Tool{
		Flavor: Name, Label: label, APIPort: "8443/tcp", Cluster: e.clusterOf,
		ControlPlane: func(c docker.Container) bool { return c.Name == e.clusterOf(c) },
		Network: func(c docker.Container) (string, bool) {
			return c.HostConfig.NetworkMode, c.HostConfig.NetworkMode == e.clusterOf(c)
		},
		Remake: e.remakeNetwork,
		Logs:   logsOf,
	}
}

// clusterOf returns the name of the cluster of a node. Nodes after the first are named NAME-m02
// and so on. A cluster of another program may have such a name, and then has a profile or a
// network of that name.
func (e engine) clusterOf(c docker.Container) string {
	node := c.Config.Labels[label]
	parts := regexp.MustCompile(`^(.+)-m[0-9]{2,}$`).FindStringSubmatch(node)
	_, alone := c.NetworkSettings.Networks[node]
	if parts == nil || alone || e.home.hasProfile(node) {
		return node
	}
	return parts[1]
}

// markInNode returns the mark of the first node of a cluster, or "".
func (e engine) markInNode(ctx context.Context, name string) (string, error) {
	found, err := e.containers().Find(ctx, name)
	if err != nil {
		return "", err
	}
	first, ok := e.containers().First(found)
	if !ok {
		return "", errors.New("it has no control plane")
	}
	text, err := docker.ReadFile(ctx, first.ID, serverCertificate)
	if err != nil {
		return "", err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return "", fmt.Errorf("%s: not a certificate", serverCertificate)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return "", fmt.Errorf("%s: %w", serverCertificate, err)
	}
	return markAmong(certificate.DNSNames), nil
}

// sweep removes the objects of a cluster from the Docker Engine until none is left: some may
// appear after minikube was ended. Nodes of a minikube with another home stay, with their
// volumes and their network.
func (e engine) sweep(ctx context.Context, name string) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		found, err := e.containers().Find(ctx, name)
		if ignoreNotFound(err) != nil {
			return err
		}
		own := slices.DeleteFunc(slices.Clone(found), func(c docker.Container) bool { return e.isOfAnotherHome(ctx, c) })
		if err := docker.Remove(ctx, nodes.IDs(own)...); err != nil {
			return err
		}
		volumes, err := e.volumes(ctx, name)
		if err != nil {
			return err
		}
		var networks []string
		if len(own) == len(found) {
			if networks, err = networksOf(ctx, name); err != nil {
				return err
			}
		}
		if len(own)+len(volumes)+len(networks) == 0 {
			return nil
		}
		if err := docker.RemoveAll(ctx, docker.Volume, volumes...); err != nil {
			return err
		}
		for _, network := range networks {
			if err := docker.RemoveNetwork(ctx, network); err != nil {
				return inUse(name, err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// isOfAnotherHome reports whether a node was created by a minikube with another home: each home
// has its own keys, and a node accepts the key of its machine. A node without a key counts as
// one of this home.
func (e engine) isOfAnotherHome(ctx context.Context, c docker.Container) bool {
	key, err := os.ReadFile(filepath.Join(e.home.machinesDir(), filepath.Base(c.Name), "id_rsa.pub"))
	if err != nil {
		return false
	}
	let, err := docker.ReadFile(ctx, c.ID, authorizedKeys)
	return err == nil && !bytes.Contains(let, bytes.TrimSpace(key))
}

// networksOf returns the IDs of the networks of a cluster.
func networksOf(ctx context.Context, name string) ([]string, error) {
	found, err := docker.Networks(ctx, label+"="+name)
	ids := make([]string, len(found))
	for i, network := range found {
		ids[i] = network.ID
	}
	return ids, err
}

// inUse adds a hint to the error of a network that contains a container of another program.
func inUse(network string, err error) error {
	if !strings.Contains(err.Error(), "has active endpoints") {
		return err
	}
	return fault.WithHint(err, "list the containers in the network: docker network inspect %s; disconnect them: docker network disconnect --force %s CONTAINER; then run this command again",
		network, network)
}

// volumes returns the volumes of a cluster whose nodes are removed: each node had one of its
// name. A volume that a node still uses belongs to another cluster.
func (e engine) volumes(ctx context.Context, cluster string) ([]string, error) {
	volumes, err := docker.Labelled(ctx, docker.Volume, label)
	if err != nil {
		return nil, err
	}
	others, err := docker.Names(ctx, cluster)
	isNode := e.home.nodesOf(cluster)
	return slices.DeleteFunc(volumes, func(v string) bool { return !isNode(v) || slices.Contains(others, v) }), err
}

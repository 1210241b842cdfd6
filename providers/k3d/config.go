package k3d

import (
	"cmp"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/k3d-io/k3d/v5/pkg/config/v1alpha5"
	"github.com/k3d-io/k3d/v5/pkg/runtimes/util"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	// maxNodes is the limit of a Linux bridge, which a Docker network is.
	maxNodes = 1000

	// caInNode is in the directory whose certificates all programs in a node trust.
	caInNode = "/etc/ssl/certs/lab-ca.pem"

	loopback = "127.0.0.1"

	// k3d's filters for nodes. "all" would include the load balancer.
	everyServer = "server:*"
	everyAgent  = "agent:*"
)

// configFor translates spec into k3d's configuration. It returns ErrInvalid or ErrUnsupported,
// and has no side effects.
func configFor(spec providers.Spec, opts Options) (*v1alpha5.SimpleConfig, error) {
	if spec.Driver != "" {
		err := fault.Errorf(fault.ErrUnsupported, "k3d does not support drivers, such as %q", spec.Driver)
		return nil, fault.WithHint(err, "remove the driver, or use --flavor minikube")
	}
	c, err := parseNative(spec.Native)
	if err != nil {
		return nil, err
	}
	c.Kind, c.APIVersion, c.Name = c.GetKind(), c.GetAPIVersion(), spec.Name
	if err := setNodes(c, spec); err != nil {
		return nil, err
	}
	if err := setImage(c, spec, opts.NodeImage); err != nil {
		return nil, err
	}
	if err := addMounts(c, spec); err != nil {
		return nil, err
	}
	setMark(c, spec.Mark)
	setNetwork(c)
	addPorts(c, spec.Ports)
	if spec.Wants.NoIngress && !disables(c, "traefik") {
		addArg(c, "--disable=traefik", everyServer)
	}
	if spec.Wants.NoMetricsServer && !disables(c, "metrics-server") {
		addArg(c, "--disable=metrics-server", everyServer)
	}
	c.Options.K3dOptions.Wait = true
	return c, nil
}

// setNodes sets the number of nodes. One control plane and no workers are the defaults, so they
// count as not requested.
func setNodes(c *v1alpha5.SimpleConfig, spec providers.Spec) error {
	switch {
	case c.Servers > 0 && spec.ControlPlanes > 1 && spec.ControlPlanes != c.Servers:
		return conflict("it has %d servers, but %d control planes are requested", c.Servers, spec.ControlPlanes)
	case c.Agents > 0 && spec.Workers > 0 && spec.Workers != c.Agents:
		return conflict("it has %d agents, but %d workers are requested", c.Agents, spec.Workers)
	}
	c.Servers = max(c.Servers, spec.ControlPlanes, 1)
	c.Agents = max(c.Agents, spec.Workers)
	if n := c.Servers + c.Agents; n > maxNodes {
		err := fault.Errorf(fault.ErrUnsupported, "%d nodes are more than a Docker network supports", n)
		return fault.WithHint(err, "use at most %d nodes, or use --flavor kwok", maxNodes)
	}
	return nil
}

// setMark labels every container with the mark, if there is one.
func setMark(c *v1alpha5.SimpleConfig, mark string) {
	if mark == "" {
		return
	}
	filters := []string{everyServer, everyAgent}
	if !c.Options.K3dOptions.DisableLoadbalancer {
		filters = append(filters, "loadbalancer")
	}
	c.Options.Runtime.Labels = append(c.Options.Runtime.Labels,
		v1alpha5.LabelWithNodeFilters{Label: labelMark + "=" + mark, NodeFilters: filters})
}

// setNetwork restricts to the loopback what k3d would publish on all addresses, unless the
// user's configuration names an address. Several servers refer to one another by address, which
// k3d keeps only in a network whose addresses it assigns itself.
func setNetwork(c *v1alpha5.SimpleConfig) {
	c.ExposeAPI.HostIP = cmp.Or(c.ExposeAPI.HostIP, loopback)
	if r := c.Registries.Create; r != nil {
		r.Host = cmp.Or(r.Host, loopback)
	}
	if c.Servers > 1 && c.Network == "" {
		c.Subnet = cmp.Or(c.Subnet, "auto")
	}
}

// addMounts adds the mounts and the certificate authority to every node. A mount that native
// has on some nodes is added to all.
func addMounts(c *v1alpha5.SimpleConfig, spec providers.Spec) error {
	mounts := spec.Mounts
	if spec.CAFile != "" {
		mounts = append([]providers.Mount{{Host: spec.CAFile, Node: caInNode, ReadOnly: true}}, mounts...)
	}
	for _, m := range mounts {
		host, err := filepath.Abs(m.Host)
		if err != nil {
			return err
		}
		if strings.Contains(strings.TrimPrefix(host, filepath.VolumeName(host)), ":") || strings.Contains(m.Node, ":") {
			return fault.WithHint(fault.Errorf(fault.ErrInvalid, "cannot mount %s to %s: Docker does not support paths with a colon", m.Host, m.Node),
				"rename the directory, or mount a symbolic link to it")
		}
		for _, v := range c.Volumes {
			if from, to, err := util.ReadVolumeMount(v.Volume); err == nil && to == m.Node && from != host {
				return conflict("it mounts %s at %s, where %s is requested", from, to, m.Host)
			}
		}
		c.Volumes = slices.DeleteFunc(c.Volumes, func(v v1alpha5.VolumeWithNodeFilters) bool {
			_, to, err := util.ReadVolumeMount(v.Volume)
			return err == nil && to == m.Node
		})
		volume := host + ":" + m.Node
		if m.ReadOnly {
			volume += ":ro"
		}
		c.Volumes = append(c.Volumes, v1alpha5.VolumeWithNodeFilters{Volume: volume, NodeFilters: []string{everyServer, everyAgent}})
	}
	return nil
}

// addPorts publishes the ports at the load balancer or, if native disables it, at the first
// server.
func addPorts(c *v1alpha5.SimpleConfig, ports []providers.Port) {
	at := "loadbalancer"
	if c.Options.K3dOptions.DisableLoadbalancer {
		at = "server:0:direct"
	}
	for _, p := range ports {
		host := net.JoinHostPort(cmp.Or(p.Address, loopback), strconv.Itoa(p.Host))
		port := fmt.Sprintf("%s:%d/%s", host, p.Container, cmp.Or(p.Protocol, "tcp"))
		c.Ports = append(c.Ports, v1alpha5.PortWithNodeFilters{Port: port, NodeFilters: []string{at}})
	}
}

func addArg(c *v1alpha5.SimpleConfig, arg string, nodes ...string) {
	c.Options.K3sOptions.ExtraArgs = append(c.Options.K3sOptions.ExtraArgs, v1alpha5.K3sArgWithNodeFilters{Arg: arg, NodeFilters: nodes})
}

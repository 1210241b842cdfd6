package docker

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// Container is what lab reads of the output of `docker inspect` for a container.
type Container struct {
	ID      string `json:"Id"`
	Name    string // the name that it was created with
	Renamed string `json:"-"` // its name now, if another program has renamed it
	Created time.Time
	State   struct {
		Status    string // created, running, paused, restarting, removing, exited or dead
		ExitCode  int
		Error     string    // why it could not be started
		StartedAt time.Time // in the year 1 if it never was
	}
	Config struct {
		Image    string
		Hostname string
		Labels   map[string]string
	}
	HostConfig struct {
		Binds         []string // host:container:options
		NetworkMode   string   // the network that it was created in, or "bridge"
		RestartPolicy struct{ Name string }
		PortBindings  map[string][]Binding // as requested, by port: "6443/tcp"
	}
	NetworkSettings struct {
		Ports    map[string][]Binding // as they are, while it runs
		Networks map[string]Endpoint  // by their names
	}
}

// Endpoint is the connection of a container to a network.
type Endpoint struct {
	IPAddress  string                       // "" while it does not run
	NetworkID  string                       // stays when the network is removed; "" if the container was never started
	IPAMConfig struct{ IPv4Address string } // its fixed address; "" for any
}

// Binding is where a port of a container is published on the host.
type Binding struct {
	HostIP   string `json:"HostIp"`
	HostPort string
}

// Running reports whether the container runs and is not paused.
func (c Container) Running() bool { return c.State.Status == "running" }

// Published returns the address on the loopback at which a port of a running container is
// published, such as "5000/tcp", or "".
func (c Container) Published(port string) string {
	for _, b := range c.NetworkSettings.Ports[port] {
		if c.Running() && b.HostIP == loopback {
			return net.JoinHostPort(b.HostIP, b.HostPort)
		}
	}
	return ""
}

// loopback is the address that ports of this machine's own services are published on.
const loopback = "127.0.0.1"

// Containers returns the containers that bear a label, "key" or "key=value", in any state, by
// name.
func Containers(ctx context.Context, label string) ([]Container, error) {
	out, err := ask(ctx, "ps", "--all", "--quiet", "--no-trunc", "--filter", "label="+label)
	ids := strings.Fields(string(out))
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	out, err = ask(ctx, append([]string{"inspect", "--type=container"}, ids...)...)
	// docker prints the others if one was removed meanwhile.
	if err != nil && !isGone(err) {
		return nil, err
	}
	var containers []Container
	if err := json.Unmarshal(out, &containers); err != nil {
		return nil, fmt.Errorf("docker inspect: %w", err)
	}
	for i := range containers {
		containers[i].restoreName()
	}
	slices.SortFunc(containers, func(a, b Container) int { return cmp.Compare(a.Name, b.Name) })
	return containers, nil
}

// restoreName sets Name to the host name, which the tools set to the name of a container and
// which stays when the container is renamed. By default the host name is the beginning of the ID.
func (c *Container) restoreName() {
	c.Name = strings.TrimPrefix(c.Name, "/")
	if h := c.Config.Hostname; h != "" && h != c.Name && !strings.HasPrefix(c.ID, h) {
		c.Name, c.Renamed = h, c.Name
	}
}

// Rename gives a container the name that it was created with.
func Rename(ctx context.Context, c Container) error {
	_, err := run(ctx, "rename", c.ID, c.Name)
	return err
}

// Names returns the names of all containers that begin with prefix, labels or not.
func Names(ctx context.Context, prefix string) ([]string, error) {
	out, err := ask(ctx, "ps", "--all", "--format", "{{.Names}}", "--filter", "name=^/?"+prefix)
	return strings.Fields(string(out)), err
}

// Do runs a docker command, such as "start", on containers.
func Do(ctx context.Context, command []string, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := run(ctx, append(command, ids...)...)
	return err
}

// Stop stops containers, and kills those that do not stop in time.
func Stop(ctx context.Context, ids ...string) error {
	return waking(ctx, ids, func() error { return Do(ctx, []string{"stop"}, ids...) })
}

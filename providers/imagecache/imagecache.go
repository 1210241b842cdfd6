// Package imagecache runs the image cache as a container of the Docker Engine. The image of the container is lab
// itself, so that nothing needs to be downloaded.
package imagecache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/images/cache"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/hostport"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

const (
	label       = docker.CacheLabel             // the identity of the store, see id
	labelInputs = "clusterlab.dev/cache-inputs" // the hash of everything that the container was created from
	loopback    = "127.0.0.1"
	port        = docker.CachePort
	hostPort    = 5051 // if it is free
	target      = "/store"
)

// Docker runs the cache on the engine that the docker command uses.
type Docker struct {
	CAFile  string // the PEM file of further authorities that the cache trusts, or ""
	Program string // the path of lab, or "" for this program
}

var _ cache.Container = Docker{}

// Name returns the name of the container for the store in dir, by which nodes reach it. Users, and several values of
// LAB_HOME, have separate caches.
func Name(dir string) string { return "lab-cache-" + id(dir) }

func id(dir string) string { return hash(dir)[:8] }

func hash(parts ...string) string {
	sum := sha256.New()
	for _, p := range parts {
		_, _ = fmt.Fprintf(sum, "%d %s", len(p), p)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Find returns the container of the store in dir, or nil.
func (Docker) Find(ctx context.Context, dir string) (*cache.Instance, error) {
	found, err := docker.Containers(ctx, label+"="+id(dir))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return instanceOf(found[0]), nil
}

func instanceOf(c docker.Container) *cache.Instance {
	networks := slices.Sorted(maps.Keys(c.NetworkSettings.Networks))
	networks = slices.DeleteFunc(networks, func(n string) bool { return n == c.Name }) // its own
	return &cache.Instance{Name: c.Name, Address: c.Published(port + "/tcp"), Networks: networks}
}

// Run creates and starts the container. A container that runs and was created from the same inputs stays.
func (d Docker) Run(ctx context.Context, s cache.Server, report event.Reporter) (*cache.Instance, error) {
	if err := local(ctx); err != nil {
		return nil, err
	}
	program, err := d.programFor(runtime.GOOS)
	if err != nil {
		return nil, err
	}
	i, err := d.contents(program)
	if err != nil {
		return nil, err
	}
	args := arguments(s)
	inputs := hash(append([]string{i.digest}, args...)...)
	found, err := docker.Containers(ctx, label+"="+id(s.Dir))
	if err != nil {
		return nil, err
	}
	if len(found) == 1 && found[0].Running() && found[0].Config.Labels[labelInputs] == inputs {
		return instanceOf(found[0]), nil
	}
	if err := removeAll(ctx, found); err != nil { // but not the network, to which others may be connected
		return nil, err
	}
	var instance *cache.Instance
	err = report.Do("Starting the image cache", func(*event.Step) (err error) {
		instance, err = create(ctx, s.Dir, i, inputs, args)
		return err
	})
	if err != nil {
		d.undo(ctx, s.Dir)
		return nil, err
	}
	for _, c := range found {
		for _, network := range instanceOf(c).Networks {
			if docker.Connect(ctx, network, instance.Name) == nil { // otherwise the network was removed meanwhile
				instance.Networks = append(instance.Networks, network)
			}
		}
	}
	return instance, nil
}

// local returns ErrUnsupported if the engine runs on another machine, where the store is not.
func local(ctx context.Context) error {
	engine, err := docker.Current(ctx)
	if err != nil {
		return err
	}
	if engine.Host == "" || strings.HasPrefix(engine.Host, "unix://") || strings.HasPrefix(engine.Host, "npipe://") {
		return nil
	}
	err = fault.Errorf(fault.ErrUnsupported, "the Docker Engine at %s may run on another machine, but the cache needs the disk of this one", fault.Redact(engine.Host))
	return fault.WithHint(err, "use an engine of this machine: docker context use default")
}

// arguments returns the arguments of lab in the container.
func arguments(s cache.Server) []string {
	args := []string{"cache", "serve", "--listen", ":" + port, "--dir", target, "--limit", strconv.FormatInt(s.Limit, 10)}
	for _, name := range slices.Sorted(maps.Keys(s.Registries)) {
		args = append(args, "--registry", name+"="+s.Registries[name])
	}
	return args
}

// undoWithin bounds the removal of what a failed start created.
const undoWithin = 30 * time.Second

// undo removes what create created, also after an interrupt. A network to which other containers are connected stays.
func (d Docker) undo(ctx context.Context, dir string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoWithin)
	defer cancel()
	_ = d.Remove(ctx, dir)
}

// create creates what Remove removes: an image, a network and a container.
func create(ctx context.Context, dir string, i image, inputs string, args []string) (*cache.Instance, error) {
	name := Name(dir)
	if err := i.load(ctx, name); err != nil {
		return nil, err
	}
	// On the engine's default network, containers of others could reach it.
	network := append(docker.MTU(ctx), "--label="+label+"="+id(dir))
	if err := docker.CreateNetwork(ctx, name, network...); err != nil {
		return nil, err
	}
	allowed, err := options(ctx, dir)
	if err != nil {
		return nil, err
	}
	allowed = append(allowed, "--name="+name, "--network="+name, "--label="+label+"="+id(dir), "--label="+labelInputs+"="+inputs)
	address, err := publish(ctx, dir, allowed, append([]string{name}, args...))
	if err != nil {
		return nil, err
	}
	return &cache.Instance{Name: name, Address: address}, nil
}

// publish runs the container at hostPort, or at another port if that is in use, and returns its address. Another cache
// may take the port before the engine does, so publish tries twice.
func publish(ctx context.Context, dir string, options, command []string) (address string, err error) {
	for _, number := range []int{hostPort, 0} {
		number, err = hostport.Free(ctx, hostport.Port{Number: number})
		if err != nil {
			return "", err
		}
		address = net.JoinHostPort(loopback, strconv.Itoa(number))
		_, err = docker.Run(ctx, slices.Concat(options, []string{"--publish=" + address + ":" + port}, command)...)
		if err == nil || !docker.PortTaken(err) {
			return address, err
		}
		// docker leaves a container that it could not start.
		created, failed := docker.Containers(ctx, label+"="+id(dir))
		if err := errors.Join(failed, removeAll(ctx, created)); err != nil {
			return "", err
		}
	}
	return "", err
}

// options returns what the container may do: nothing but write to the store.
func options(ctx context.Context, dir string) ([]string, error) {
	options := []string{
		"--restart=unless-stopped", "--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges",
		"--mount=type=bind,source=" + dir + ",target=" + target,
		"--log-driver=local", "--log-opt=max-size=10m", "--log-opt=max-file=2",
		"--env=LAB_HOME=/lab", "--env=TZ",
		// docker reads the values from its environment: they may contain a password.
		"--env=HTTPS_PROXY", "--env=HTTP_PROXY", "--env=NO_PROXY", "--env=https_proxy", "--env=http_proxy", "--env=no_proxy",
	}
	rootless, err := docker.Rootless(ctx)
	if err != nil || rootless || runtime.GOOS != "linux" {
		return options, err // root of the container is the user
	}
	return append(options, fmt.Sprintf("--user=%d:%d", os.Getuid(), os.Getgid())), nil
}

// Remove removes the container, its network and its image. It returns an error if other containers are connected to
// the network.
func (Docker) Remove(ctx context.Context, dir string) error {
	found, err := docker.Containers(ctx, label+"="+id(dir))
	if err != nil {
		return err
	}
	networks, err := docker.Networks(ctx, label+"="+id(dir))
	if err != nil {
		return err
	}
	err = removeAll(ctx, found)
	for _, n := range networks {
		failed := docker.RemoveAll(ctx, docker.Network, n.ID)
		err = errors.Join(err, fault.WithHint(failed, "disconnect the other containers: docker network inspect %s", n.Name))
	}
	return errors.Join(err, docker.RemoveImage(ctx, Name(dir)))
}

func removeAll(ctx context.Context, containers []docker.Container) error {
	var ids []string
	for _, c := range containers {
		ids = append(ids, c.ID)
	}
	return docker.Remove(ctx, ids...)
}

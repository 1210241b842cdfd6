package dockertest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// Engine is a fake Docker Engine in the memory of a test: it keeps containers with their files,
// networks and volumes, and a container that publishes the port of an API server answers there.
// It has every image. The docker command and the Engine's HTTP API, at the socket in
// DOCKER_HOST, change the same state. What the programs in the containers do is up to Start and
// Exec, which must not call methods of the Engine.
type Engine struct {
	// Start returns what the program of a container prints when it starts, and may write
	// files. On error the program exits at once. Start may be nil: the programs print nothing.
	Start func(c *Node) (output string, err error)

	// Exec runs a command in a container that runs. It may be nil, and is then a command that
	// succeeds and prints nothing.
	Exec func(c *Node, stdin []byte, command []string) (stdout string, err error)

	// Authority returns the name of the certificate authority of a container. It may be nil:
	// each container has its own.
	Authority func(c *Node) string

	host string // DOCKER_HOST

	mu          sync.Mutex
	created     int
	containers  []*Node
	networks    []docker.Object
	volumes     map[string][]string // labels by name
	authorities map[string]*authority
	execs       map[string]*execution
}

// NewEngine puts a docker on PATH that uses a new Engine. The test's TestMain must call [Main].
func NewEngine(t *testing.T) *Engine {
	t.Helper()
	dir, err := os.MkdirTemp("", "engine") // a socket's path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(dir, "docker"))
	}
	if err != nil {
		t.Fatal(err)
	}
	socket, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{
		host: "unix://" + socket.Addr().String(), networks: []docker.Object{{ID: "id-of-bridge", Name: "bridge"}},
		volumes: map[string][]string{}, authorities: map[string]*authority{}, execs: map[string]*execution{},
	}
	server := &http.Server{Handler: e.handler()}
	t.Cleanup(func() { e.stopAll(); _ = server.Close() })
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	t.Setenv("PATH", dir)
	t.Setenv("DOCKER_HOST", e.host)
	t.Setenv(engineVariable, "yes")
	go func() { _ = server.Serve(socket) }() // until it is closed
	return e
}

// Create creates a container, as docker create does with these flags and arguments.
func (e *Engine) Create(args ...string) (*Node, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.create(args)
}

// Age makes a container look as if it was created an hour ago.
func (e *Engine) Age(c *Node) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c.Created = time.Now().Add(-time.Hour)
}

// Kill ends a container as a crash does.
func (e *Engine) Kill(name string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	c, err := e.find(name)
	if err != nil {
		return err
	}
	c.stop(137)
	return nil
}

// Leftovers returns the containers, networks and volumes that have name in theirs.
func (e *Engine) Leftovers(name string) []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []string
	for _, c := range e.containers {
		if strings.Contains(c.Name, name) {
			found = append(found, "container "+c.Name)
		}
	}
	for _, n := range e.networks {
		if strings.Contains(n.Name, name) {
			found = append(found, "network "+n.Name)
		}
	}
	for v := range e.volumes {
		if strings.Contains(v, name) {
			found = append(found, "volume "+v)
		}
	}
	return found
}

func (e *Engine) stopAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.containers {
		c.stop(0)
	}
}

// newID returns the ID of a new object.
func (e *Engine) newID() string {
	e.created++
	return fmt.Sprintf("%064x", e.created)
}

// find returns a container by its name or ID.
func (e *Engine) find(key string) (*Node, error) {
	for _, c := range e.containers {
		if c.Name == key || c.ID == key {
			return c, nil
		}
	}
	return nil, failure{http.StatusNotFound, "No such container: " + key}
}

// remove kills and removes a container.
func (e *Engine) remove(c *Node) {
	c.stop(137)
	e.containers = slices.DeleteFunc(e.containers, func(other *Node) bool { return other == c })
}

// network returns a network by its name or ID.
func (e *Engine) network(key string) (docker.Object, error) {
	i := slices.IndexFunc(e.networks, func(n docker.Object) bool { return n.Name == key || n.ID == key })
	if i < 0 {
		return docker.Object{}, failure{http.StatusNotFound, "network " + key + " not found"}
	}
	return e.networks[i], nil
}

// createNetwork returns the ID of a new network.
func (e *Engine) createNetwork(name string, labels []string) (id string, err error) {
	if _, err := e.network(name); err == nil {
		return "", failure{http.StatusConflict, "network with name " + name + " already exists"}
	}
	id = e.newID()
	e.networks = append(e.networks, docker.Object{ID: id, Name: name, Labels: labels})
	return id, nil
}

// removeNetwork removes a network that no running container is connected to.
func (e *Engine) removeNetwork(key string) error {
	n, err := e.network(key)
	if err != nil {
		return err
	}
	if len(e.members(n)) > 0 {
		return failure{http.StatusForbidden, "error while removing network: network " + n.Name + " has active endpoints"}
	}
	e.networks = slices.DeleteFunc(e.networks, func(o docker.Object) bool { return o.ID == n.ID })
	return nil
}

// members returns the running containers in a network.
func (e *Engine) members(network docker.Object) []*Node {
	var found []*Node
	for _, c := range e.containers {
		if endpoint, ok := c.NetworkSettings.Networks[network.Name]; ok && c.Running() && endpoint.NetworkID == network.ID {
			found = append(found, c)
		}
	}
	return found
}

// removeVolume removes a volume that no container uses.
func (e *Engine) removeVolume(name string) error {
	if _, ok := e.volumes[name]; !ok {
		return failure{http.StatusNotFound, "get " + name + ": no such volume"}
	}
	for _, c := range e.containers {
		if slices.ContainsFunc(c.HostConfig.Binds, func(b string) bool { return strings.HasPrefix(b, name+":") }) {
			return failure{http.StatusConflict, "remove " + name + ": volume is in use - [" + c.ID + "]"}
		}
	}
	delete(e.volumes, name)
	return nil
}

// failure is an error of the engine, with the status of its API.
type failure struct {
	status  int
	message string
}

func (f failure) Error() string { return "Error response from daemon: " + f.message }

// Unavailable returns a provider whose engine does not answer.
func Unavailable(p providers.Provider) providers.Provider { return unavailable{p} }

type unavailable struct{ providers.Provider }

func (u unavailable) Check(ctx context.Context, spec providers.Spec) error {
	return u.Provider.Check(docker.On(ctx, providers.Engine{Host: "unix:///none.sock"}), spec)
}

package dockertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// engineVariable names the socket of an [Engine] in the environment.
const engineVariable = "LAB_TEST_ENGINE"

// Engine is a fake Docker Engine in the memory of a test: it keeps containers, networks and
// volumes, and a container that publishes the port of an API server answers there. It has every
// image. What the program in a container does is up to Exec.
type Engine struct {
	// Exec runs a command in a container that runs. It may be nil, and is then a command that
	// succeeds and prints nothing.
	Exec func(c *Node, stdin []byte, command []string) (stdout string, err error)

	// OneAuthority has all containers share a certificate authority.
	OneAuthority bool

	// Programs are the names of the programs that run in a container.
	Programs []string

	mu         sync.Mutex
	created    int
	containers []*Node
	networks   []docker.Object
	volumes    map[string][]string // labels by name
	authority  *authority
}

// Node is a container of an Engine.
type Node struct {
	docker.Container
	Env, Command []string

	authority *authority
	api       net.Listener // nil while it does not run
	logs      string
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
	e := &Engine{volumes: map[string][]string{}, networks: []docker.Object{{ID: "id-of-bridge", Name: "bridge"}}}
	socket, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close(); e.stopAll() })
	t.Setenv("GORACE", "atexit_sleep_ms=0")
	t.Setenv("PATH", dir)
	t.Setenv("DOCKER_HOST", "")
	t.Setenv(engineVariable, socket.Addr().String())
	go e.serve(socket)
	return e
}

// Host returns what DOCKER_HOST must be for the engine, or for one that does not answer.
func Host(answers bool) string {
	if answers {
		return "unix:///fake.sock"
	}
	return "unix:///none.sock"
}

// call is one call of the docker command.
type call struct {
	Args  []string
	Host  string // DOCKER_HOST
	Stdin []byte
}

// reply is what the docker command then does.
type reply struct {
	Stdout, Stderr string
	Code           int
}

// serve answers calls until the socket is closed.
func (e *Engine) serve(socket net.Listener) {
	for {
		conn, err := socket.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			var c call
			if json.NewDecoder(conn).Decode(&c) == nil {
				_ = json.NewEncoder(conn).Encode(e.answer(c))
			}
		}()
	}
}

func (e *Engine) answer(c call) reply {
	if c.Host == Host(false) {
		return reply{Stderr: "Cannot connect to the Docker daemon at " + c.Host + ". Is the docker daemon running?\n", Code: 1}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	stdout, err := e.run(c.Args, c.Stdin)
	if err != nil {
		return reply{Stdout: stdout, Stderr: err.Error() + "\n", Code: 1}
	}
	return reply{Stdout: stdout}
}

// forward has an Engine answer a call of the docker command, and returns the exit code.
func forward(socket string) int {
	c := call{Args: os.Args[1:], Host: os.Getenv("DOCKER_HOST")}
	reads := func(arg string) bool { return arg == "--interactive" || arg == "-i" }
	if slices.ContainsFunc(c.Args, reads) || len(c.Args) > 1 && c.Args[0] == "cp" && c.Args[1] == "-" {
		c.Stdin, _ = io.ReadAll(os.Stdin)
	}
	var r reply
	conn, err := net.Dial("unix", socket)
	if err == nil {
		err = json.NewEncoder(conn).Encode(c)
	}
	if err == nil {
		err = json.NewDecoder(conn).Decode(&r)
	}
	if err != nil {
		r = reply{Stderr: "Cannot connect to the Docker daemon: " + err.Error() + "\n", Code: 1}
	}
	_, _ = os.Stdout.WriteString(r.Stdout)
	_, _ = os.Stderr.WriteString(r.Stderr)
	return r.Code
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

// find returns a container by its name or ID.
func (e *Engine) find(key string) (*Node, error) {
	for _, c := range e.containers {
		if c.Name == key || c.ID == key {
			return c, nil
		}
	}
	return nil, fmt.Errorf("Error response from daemon: No such container: %s", key)
}

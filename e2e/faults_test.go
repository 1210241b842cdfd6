//go:build e2e && unix

package e2e

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/clusterlab-dev/lab/e2e/faults"
	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// TestFaults interrupts lab during its commands, next to a cluster that the tool itself created and Helm releases
// that lab did not install. The engine is unavailable for lab only; TestEngineStops stops it for all.
func TestFaults(t *testing.T) {
	takesLong(t)
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		p, c := newUser(t, bed), bed.cluster(t, f.name)
		c.kubeconfig = filepath.Join(p.dir, "kubeconfig")
		c.env[0] = "KUBECONFIG=" + c.kubeconfig
		c.must(t, c.create)
		d := newProxy(t)
		p.env = append(p.env, "DOCKER_HOST=unix://"+d.path)
		t.Cleanup(func() {
			if t.Failed() {
				_ = p.lab(context.Background(), "down", "--all").Run()
			}
		})
		faults.Run(t, faults.Harness{
			Rounds:     5,
			Flavor:     []string{"--flavor", f.name},
			Lab:        p.lab,
			Name:       session.RandomName,
			Kubeconfig: c.kubeconfig,
			Foreign:    f.harness(t, bed).Context(c.name),
			Outside:    func(t *testing.T) string { return p.outside(c.name, f) },
			Outage: func(t *testing.T, name string) func() {
				if !runs(f.node(name)) {
					return nil
				}
				d.close()
				return func() { d.open(t) }
			},
			Pause: func(_ *testing.T, name string) func() {
				if exec.Command("docker", "pause", f.node(name)).Run() != nil {
					return nil
				}
				return func() { _ = exec.Command("docker", "unpause", f.node(name)).Run() } // the container may be gone
			},
			Nothing: func(_ *testing.T, name string) {
				p.forgetLogs()
				p.checkNothing(name)
			},
		})
		c.remove(t)
	})
}

func runs(container string) bool {
	out, err := exec.Command("docker", "inspect", "--format={{.State.Running}}", container).Output()
	return err == nil && strings.TrimSpace(string(out)) == "true"
}

// forgetLogs removes the logs that lab saved of failed creations.
func (p *user) forgetLogs() {
	p.T.Helper()
	saved, err := filepath.Glob(filepath.Join(p.dir, "tmp", "lab-*-logs-*"))
	if err != nil {
		p.T.Fatal(err)
	}
	for _, dir := range saved {
		if err := os.RemoveAll(dir); err != nil {
			p.T.Error(err)
		}
	}
}

// outside returns the state of a cluster outside Kubernetes: its containers, its network, its volumes and the files
// of its tool.
func (p *user) outside(name string, f flavor) string {
	p.T.Helper()
	var found []string
	add := func(args ...string) { found = slices.AppendSeq(found, strings.Lines(docker(p.T, args...))) }
	for id := range strings.FieldsSeq(docker(p.T, "ps", "--all", "--quiet", "--no-trunc", "--filter=name="+name)) {
		add("inspect", "--format={{.Id}} {{.Name}} {{.Created}} {{.State.Status}} {{.State.StartedAt}} {{.RestartCount}} "+
			"{{json .NetworkSettings.Networks}} {{json .Config}}{{range .Mounts}}\n{{$.Id}} {{json .}}{{end}}", id)
	}
	add("network", "inspect", "--format={{.Id}} {{.Created}} {{json .IPAM}} {{json .Labels}}", f.network(name))
	add("volume", "ls", "--filter=name="+name, "--format={{.Name}} {{.Mountpoint}}")
	if f.name == "minikube" {
		for _, path := range filesBelow(p.T, p.bed.minikubeHome) {
			rel, _ := filepath.Rel(p.bed.minikubeHome, path)
			if strings.Contains(path, session.Prefix) && !strings.Contains(path, name) ||
				strings.HasPrefix(rel, "logs") || strings.HasPrefix(rel, filepath.Join("machines", "server")) {
				continue // of another cluster, or rewritten by every minikube that creates a node
			}
			if text, err := os.ReadFile(path); err == nil {
				found = append(found, fmt.Sprintf("%s %x\n", rel, sha256.Sum256(text)))
			}
		}
	}
	slices.Sort(found)
	return strings.Join(found, "")
}

// proxy is a socket that forwards connections to the Docker Engine. After close, its clients see an engine that has
// stopped.
type proxy struct {
	path, engine string

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
}

func newProxy(t *testing.T) *proxy {
	t.Helper()
	host := strings.TrimSpace(docker(t, "context", "inspect", "--format={{.Endpoints.docker.Host}}"))
	engine, unix := strings.CutPrefix(host, "unix://")
	if !unix {
		t.Fatalf("the engine is at %s, which is not a socket of this machine", host)
	}
	d := &proxy{path: filepath.Join(t.TempDir(), "docker.sock"), engine: engine, conns: map[net.Conn]bool{}}
	d.open(t)
	t.Cleanup(d.close)
	return d
}

// open accepts connections.
func (d *proxy) open(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("unix", d.path)
	if err != nil {
		t.Fatal(err)
	}
	d.mu.Lock()
	d.listener = listener
	d.mu.Unlock()
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			go d.pass(listener, from)
		}
	}()
}

// close closes all connections and accepts no more.
func (d *proxy) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener != nil {
		_ = d.listener.Close()
	}
	d.listener = nil
	for conn := range d.conns {
		_ = conn.Close()
	}
	clear(d.conns)
}

// pass copies data in both directions.
func (d *proxy) pass(by net.Listener, from net.Conn) {
	to, err := net.Dial("unix", d.engine)
	if err != nil {
		_ = from.Close()
		return
	}
	d.mu.Lock()
	closed := d.listener != by
	d.conns[from], d.conns[to] = true, true
	d.mu.Unlock()
	var both sync.WaitGroup
	for a, b := range map[net.Conn]net.Conn{from: to, to: from} {
		if closed {
			_ = a.Close()
		}
		both.Go(func() {
			_, _ = io.Copy(a, b)
			_ = a.(*net.UnixConn).CloseWrite()
		})
	}
	both.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, conn := range []net.Conn{from, to} {
		_ = conn.Close()
		delete(d.conns, conn)
	}
}

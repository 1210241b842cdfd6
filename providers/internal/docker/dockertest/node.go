package dockertest

import (
	"archive/tar"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// The addresses of all networks. Containers get those after the gateway, in the order of their
// creation.
const (
	subnet  = "172.18.0.0/16"
	gateway = "172.18.0.1"
)

// Node is a container of an Engine.
type Node struct {
	docker.Container
	Env, Cmd []string
	Files    map[string]string // that the container was given, by their paths

	authority *authority
	address   string
	listeners []net.Listener // at the published ports, while it runs
	ended     chan struct{}  // closed when it ends
	logs      string         // since the last start
}

// runContainer creates and starts a container.
func (e *Engine) runContainer(args []string) (string, error) {
	c, err := e.create(args)
	if err != nil {
		return "", err
	}
	return c.ID + "\n", e.start(c)
}

// create creates a container as the flags of docker run say.
func (e *Engine) create(args []string) (*Node, error) {
	f, words := flags(args)
	c := &Node{Cmd: words[1:], Env: slices.Concat(f["e"], f["env"])}
	c.Name = f.last("name")
	c.Config.Image, c.Config.Hostname, c.Config.Labels = words[0], f.last("hostname"), map[string]string{}
	for _, l := range f["label"] {
		key, value, _ := strings.Cut(l, "=")
		c.Config.Labels[key] = value
	}
	c.HostConfig.NetworkMode = f.last("net", "network")
	if c.HostConfig.NetworkMode != "" {
		c.NetworkSettings.Networks = map[string]docker.Endpoint{c.HostConfig.NetworkMode: {}}
	}
	c.HostConfig.RestartPolicy.Name, _, _ = strings.Cut(f.last("restart"), ":")
	c.HostConfig.Binds = slices.DeleteFunc(slices.Concat(f["volume"], f["v"]), func(v string) bool { return !strings.Contains(v, ":") })
	c.HostConfig.PortBindings = map[string][]docker.Binding{}
	for _, p := range slices.Concat(f["publish"], f["p"]) {
		host, port, _ := strings.Cut(p, "/")
		parts := strings.Split(host, ":")
		key := parts[len(parts)-1] + "/" + strings.ToLower(port)
		at := docker.Binding{HostIP: parts[0]}
		if len(parts) == 3 {
			at.HostPort = parts[1]
		}
		c.HostConfig.PortBindings[key] = append(c.HostConfig.PortBindings[key], at)
	}
	return c, e.add(c)
}

// add gives a new container an identity, if its name is not taken.
func (e *Engine) add(c *Node) error {
	if other, err := e.find(c.Name); err == nil {
		return failure{http.StatusConflict, fmt.Sprintf(`Conflict. The container name "/%s" is already in use by container "%s".`, c.Name, other.ID)}
	}
	c.ID, c.Created, c.Files = e.newID(), time.Now().UTC(), map[string]string{}
	c.State.Status = "created"
	c.address = fmt.Sprintf("172.18.%d.%d", (e.created+1)/256, (e.created+1)%256)
	e.containers = append(e.containers, c)
	var err error
	c.authority, err = e.authorityOf(c)
	return err
}

// start starts a container. A program that exits at once is no error.
func (e *Engine) start(c *Node) error {
	if c.Running() {
		return nil
	}
	err := e.join(c)
	if err == nil {
		err = c.publish()
	}
	if err != nil {
		c.leave()
		return err
	}
	c.State.Status, c.State.ExitCode, c.State.StartedAt = "running", 0, time.Now().UTC()
	c.Files["/etc/hosts"] = "127.0.0.1\tlocalhost\n" + c.address + "\t" + c.Config.Hostname + "\n"
	c.ended, c.logs = make(chan struct{}), ""
	if e.Start == nil {
		return nil
	}
	if c.logs, err = e.Start(c); err != nil {
		c.logs += err.Error() + "\n"
		c.stop(1)
	}
	return nil
}

// join connects a container to its networks. Those that it was connected to must still exist.
func (e *Engine) join(c *Node) error {
	for name, endpoint := range c.NetworkSettings.Networks {
		if name == "none" {
			continue
		}
		key := name
		if endpoint.NetworkID != "" {
			key = endpoint.NetworkID
		}
		n, err := e.network(key)
		if err != nil {
			return err
		}
		endpoint.NetworkID, endpoint.IPAddress = n.ID, c.address
		c.NetworkSettings.Networks[name] = endpoint
	}
	return nil
}

// publish listens at the published ports. The API of Kubernetes answers at its own.
func (c *Node) publish() error {
	c.NetworkSettings.Ports = map[string][]docker.Binding{}
	for port, requested := range c.HostConfig.PortBindings {
		if !strings.Contains(port, "/") {
			port += "/tcp"
		}
		bindings := slices.Clone(requested)
		for i, b := range bindings {
			listener, err := net.Listen("tcp", net.JoinHostPort(b.HostIP, b.HostPort))
			if err != nil {
				return failure{http.StatusInternalServerError, "driver failed programming external connectivity on endpoint " + c.Name + ": " + err.Error()}
			}
			c.listeners = append(c.listeners, listener)
			_, bindings[i].HostPort, _ = net.SplitHostPort(listener.Addr().String())
			if slices.Contains([]string{"6443/tcp", "8443/tcp"}, port) {
				go c.authority.serve(listener)
			}
		}
		c.NetworkSettings.Ports[port] = bindings
	}
	return nil
}

// leave reverts what join and publish do.
func (c *Node) leave() {
	for _, l := range c.listeners {
		_ = l.Close()
	}
	c.listeners, c.NetworkSettings.Ports = nil, nil
	for name, endpoint := range c.NetworkSettings.Networks {
		endpoint.IPAddress = ""
		c.NetworkSettings.Networks[name] = endpoint
	}
}

func (c *Node) stop(code int) {
	if !c.Running() {
		return
	}
	c.State.Status, c.State.ExitCode = "exited", code
	c.leave()
	close(c.ended)
}

// each starts, stops, changes or removes containers.
func (e *Engine) each(command string, f flagSet, keys []string) error {
	return eachName(keys, func(key string) error {
		c, err := e.find(key)
		if err != nil {
			return err
		}
		switch command {
		case "update":
			c.HostConfig.RestartPolicy.Name, _, _ = strings.Cut(f.last("restart"), ":")
			return nil
		case "rm":
			e.remove(c)
			return nil
		case "stop":
			c.stop(130)
			return nil
		case "restart":
			c.stop(0)
		}
		return e.start(c)
	})
}

// inspect returns a container as the engine shows it.
func (c *Node) inspect() map[string]any {
	text, _ := json.Marshal(c.Container) // of plain data: never fails
	var m map[string]any
	_ = json.Unmarshal(text, &m)
	m["Name"], m["Image"] = "/"+c.Name, "sha256:0"
	m["State"].(map[string]any)["Running"] = c.Running()
	config := m["Config"].(map[string]any)
	config["Env"], config["Cmd"] = c.Env, c.Cmd
	networks, _ := m["NetworkSettings"].(map[string]any)["Networks"].(map[string]any)
	for _, n := range networks {
		n.(map[string]any)["GlobalIPv6Address"] = ""
	}
	return m
}

// extract writes the files of an archive below dir.
func (c *Node) extract(dir string, archive io.Reader) error {
	for files := tar.NewReader(archive); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var text strings.Builder
		if _, err := io.Copy(&text, files); err != nil {
			return err
		}
		c.Files[path.Join(dir, header.Name)] = text.String()
	}
}

// read returns a file.
func (c *Node) read(path string) (string, error) {
	text, ok := c.Files[path]
	if !ok {
		return "", failure{http.StatusNotFound, "Could not find the file " + path + " in container " + c.Name}
	}
	return text, nil
}

// Kubeconfig returns the kubeconfig of an administrator of the cluster in the container.
func (c *Node) Kubeconfig() string {
	encode := base64.StdEncoding.EncodeToString
	return fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: default, preferences: {},
clusters: [{name: default, cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: %[1]s}}],
users: [{name: default, user: {client-certificate-data: %[1]s, client-key-data: %[2]s}}],
contexts: [{name: default, context: {cluster: default, user: default}}]}
`, encode(c.authority.certificate), encode(c.authority.key))
}

// authority is a certificate that signs itself, for a server on the loopback.
type authority struct{ certificate, key []byte } // PEM

// authorityOf returns the authority of a new container.
func (e *Engine) authorityOf(c *Node) (*authority, error) {
	name := c.ID
	if e.Authority != nil {
		name = e.Authority(c)
	}
	if a, ok := e.authorities[name]; ok {
		return a, nil
	}
	a, err := newAuthority()
	e.authorities[name] = a
	return a, err
}

func newAuthority() (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "fake"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return &authority{
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}),
	}, nil
}

// serve answers GET /version until the listener is closed.
func (a *authority) serve(l net.Listener) {
	certificate, err := tls.X509KeyPair(a.certificate, a.key)
	if err != nil {
		return
	}
	server := http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"gitVersion":"v1.37.0"}`)
		}),
		ErrorLog: log.New(io.Discard, "", 0), TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}},
	}
	_ = server.ServeTLS(l, "", "")
}

package dockertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// runContainer creates and starts a container, unless it is one that exits at once.
func (e *Engine) runContainer(args []string) (string, error) {
	c, err := e.create(args)
	if err != nil {
		return "", err
	}
	return c.ID + "\n", c.start()
}

// create creates a container as the flags of docker run say.
func (e *Engine) create(args []string) (*Node, error) {
	f, words := flags(args)
	name := f.last("name")
	if other, err := e.find(name); err == nil {
		return nil, fmt.Errorf(`docker: Error response from daemon: Conflict. The container name "/%s" is already in use by container "%s".`, name, other.ID)
	}
	ca, err := e.newAuthority()
	if err != nil {
		return nil, err
	}
	e.created++
	c := &Node{authority: ca, Command: words[1:], Env: slices.Concat(f["e"], f["env"])}
	c.ID, c.Name, c.Created = fmt.Sprintf("%064x", e.created), name, time.Now()
	c.State.Status = "created"
	c.Config.Image, c.Config.Hostname, c.Config.Labels = words[0], f.last("hostname"), map[string]string{}
	for _, l := range f["label"] {
		key, value, _ := strings.Cut(l, "=")
		c.Config.Labels[key] = value
	}
	c.HostConfig.NetworkMode = f.last("net", "network")
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
	for _, n := range e.networks {
		if n.Name == c.HostConfig.NetworkMode {
			c.NetworkSettings.Networks = map[string]docker.Endpoint{n.Name: {NetworkID: n.ID, IPAddress: "172.18.0.2"}}
		}
	}
	e.containers = append(e.containers, c)
	return c, nil
}

// start starts the container, and serves the API of Kubernetes at its published port.
func (c *Node) start() error {
	if c.Running() {
		return nil
	}
	c.State.Status, c.State.ExitCode, c.State.StartedAt = "running", 0, time.Now()
	c.logs = "Reached target Multi-User System\n"
	c.NetworkSettings.Ports = map[string][]docker.Binding{}
	for port, asked := range c.HostConfig.PortBindings {
		bindings := slices.Clone(asked)
		for i, b := range bindings {
			if i > 0 || !slices.Contains([]string{"6443/tcp", "8443/tcp"}, port) {
				continue
			}
			listener, err := net.Listen("tcp", net.JoinHostPort(b.HostIP, b.HostPort))
			if err != nil {
				return fmt.Errorf("docker: Error response from daemon: %w", err)
			}
			_, bindings[i].HostPort, _ = net.SplitHostPort(listener.Addr().String())
			c.api = listener
			go c.authority.serve(listener)
		}
		c.NetworkSettings.Ports[port] = bindings
	}
	return nil
}

func (c *Node) stop(code int) {
	if !c.Running() {
		return
	}
	c.State.Status, c.State.ExitCode = "exited", code
	c.NetworkSettings.Ports = nil
	if c.api != nil {
		_ = c.api.Close()
		c.api = nil
	}
}

// each starts, stops or removes containers.
func (e *Engine) each(command string, keys []string) error {
	var errs []error
	for _, key := range keys {
		c, err := e.find(key)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		switch command {
		case "rm":
			c.stop(137)
			e.containers = slices.DeleteFunc(e.containers, func(other *Node) bool { return other == c })
		case "stop":
			c.stop(130)
		case "restart":
			c.stop(0)
			errs = append(errs, c.start())
		default:
			errs = append(errs, c.start())
		}
	}
	return errors.Join(errs...)
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

// newAuthority returns the authority of a new container.
func (e *Engine) newAuthority() (*authority, error) {
	if e.OneAuthority && e.authority != nil {
		return e.authority, nil
	}
	a, err := newAuthority()
	e.authority = a
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

package minikube

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// bornWithin is how long a new cluster may have a profile without a container or a
// configuration. After that, it is a leftover.
const bornWithin = 5 * time.Minute

// serverCertificate is the certificate of the API server in a node.
const serverCertificate = "/var/lib/minikube/certs/apiserver.crt"

// profile is what lab reads of minikube's configuration of a cluster.
type profile struct {
	Driver           string
	KicBaseImage     string
	Subnet           string // as requested; "" for any
	KubernetesConfig struct {
		KubernetesVersion, ContainerRuntime string
		APIServerNames                      []string // one of them is the mark
	}
	Nodes []struct {
		IP   string
		Port int
	}
}

// home returns minikube's home directory.
func (p *Provider) home() string {
	home := p.opts.Home
	if home == "" {
		home = os.Getenv("MINIKUBE_HOME")
	}
	if home == "" {
		home, _ = os.UserHomeDir() // minikube requires one
	}
	if filepath.Base(home) != ".minikube" { // as minikube does
		home = filepath.Join(home, ".minikube")
	}
	return home
}

func (p *Provider) profileDir(name string) string { return filepath.Join(p.home(), "profiles", name) }
func (p *Provider) machinesDir() string           { return filepath.Join(p.home(), "machines") }
func (p *Provider) hasProfile(name string) bool {
	_, err := os.Stat(p.profileDir(name))
	return err == nil
}

// names returns the names of all profiles, incomplete ones included, and of clusters that a
// minikube was about to create when its lab was killed.
func (p *Provider) names() ([]string, error) {
	var names []string
	for _, dir := range []string{filepath.Join(p.home(), "profiles"), p.opts.Dir} {
		entries, err := os.ReadDir(dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for _, e := range entries {
			if e.IsDir() && !slices.Contains(names, e.Name()) {
				names = append(names, e.Name())
			}
		}
	}
	return names, nil
}

// profile reads a profile. It returns ErrNotFound if it does not exist, or has no configuration
// yet.
func (p *Provider) profile(name string) (profile, error) {
	var c profile
	path := filepath.Join(p.profileDir(name), "config.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, fault.Errorf(fault.ErrNotFound, "minikube has no profile %q", name)
	}
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return c, fmt.Errorf("cannot read the minikube profile %s: %w", path, err)
	}
	return c, nil
}

// address returns the address of the API server in the network of the nodes.
func (c profile) address() (string, error) {
	if len(c.Nodes) == 0 || c.Nodes[0].IP == "" {
		return "", errors.New("it has no address yet")
	}
	return net.JoinHostPort(c.Nodes[0].IP, strconv.Itoa(c.Nodes[0].Port)), nil
}

// identity returns an ID that distinguishes a cluster from a later one of its name, or "" while
// it is being created: the hash of the client certificate, which minikube creates once per
// profile.
func (p *Provider) identity(name string) string {
	text, err := os.ReadFile(filepath.Join(p.profileDir(name), "client.crt"))
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// setMark sets the mark in c. The configuration contains it; before that exists, only files
// exist that cannot bear a mark. If the configuration is lost or in another home, the mark is
// among the names in the certificate of the API server.
func (p *Provider) setMark(ctx context.Context, c *providers.Cluster, containers bool) {
	config, err := p.profile(c.Name)
	switch {
	case err == nil:
		c.Mark = markAmong(config.KubernetesConfig.APIServerNames)
	case containers:
		mark, err := p.markInNode(ctx, c.Name)
		c.Mark, c.Unread = mark, err != nil
	case errors.Is(err, fault.ErrNotFound):
		c.Bare = true
	default:
		c.Unread = true
	}
}

// markAmong returns the mark among the names of an API server, or "".
func markAmong(names []string) string {
	for _, name := range names {
		if mark, ok := strings.CutSuffix(name, markDomain); ok {
			return mark
		}
	}
	return ""
}

// markInNode returns the mark of the first node of a cluster, or "".
func (p *Provider) markInNode(ctx context.Context, name string) (string, error) {
	found, err := p.containers().Find(ctx, name)
	if err != nil {
		return "", err
	}
	first, ok := p.containers().First(found)
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

// isYoung reports whether the cluster of a profile may still be being created.
func (p *Provider) isYoung(name string) bool {
	for _, dir := range []string{p.profileDir(name), p.scratch(name)} {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) < bornWithin {
			return true
		}
	}
	return false
}

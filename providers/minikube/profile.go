package minikube

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// bornWithin is how long a new cluster may have a profile without a container or a
// configuration. After that, it is a leftover.
const bornWithin = 5 * time.Minute

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

// home is minikube's home directory. It has a profile for each cluster, a directory for each of
// its machines, and certificates.
type home string

// homeOf returns the home that minikube uses: path, or its default.
func homeOf(path string) home {
	path = cmp.Or(path, os.Getenv("MINIKUBE_HOME"))
	if path == "" {
		path, _ = os.UserHomeDir() // minikube requires one
	}
	if filepath.Base(path) != ".minikube" { // as minikube does
		path = filepath.Join(path, ".minikube")
	}
	return home(path)
}

func (h home) profileDir(name string) string { return filepath.Join(string(h), "profiles", name) }
func (h home) machinesDir() string           { return filepath.Join(string(h), "machines") }
func (h home) hasProfile(name string) bool {
	_, err := os.Stat(h.profileDir(name))
	return err == nil
}

// names returns the names of all profiles, incomplete ones included, and of clusters that a
// minikube was about to create when its lab was killed.
func (p *Provider) names() ([]string, error) {
	var names []string
	for _, dir := range []string{filepath.Join(string(p.home), "profiles"), p.opts.Dir} {
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
func (h home) profile(name string) (profile, error) {
	var c profile
	path := filepath.Join(h.profileDir(name), "config.json")
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

// access reads the credentials of a user of the cluster.
func (h home) access(name string) (nodes.Access, error) {
	var a nodes.Access
	for path, content := range map[string]*[]byte{
		filepath.Join(string(h), "ca.crt"):              &a.CA,
		filepath.Join(h.profileDir(name), "client.crt"): &a.Certificate,
		filepath.Join(h.profileDir(name), "client.key"): &a.Key,
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			return a, err
		}
		*content = text
	}
	return a, nil
}

// identity returns an ID that distinguishes a cluster from a later one of its name, or "" while
// it is being created: the hash of the client certificate, which minikube creates once per
// profile.
func (h home) identity(name string) string {
	text, err := os.ReadFile(filepath.Join(h.profileDir(name), "client.crt"))
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
	config, err := p.home.profile(c.Name)
	switch {
	case err == nil:
		c.Mark = markAmong(config.KubernetesConfig.APIServerNames)
	case containers:
		mark, err := p.engine.markInNode(ctx, c.Name)
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

// isYoung reports whether the cluster of a profile may still be being created.
func (p *Provider) isYoung(name string) bool {
	for _, dir := range []string{p.home.profileDir(name), p.runner.scratch(name)} {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) < bornWithin {
			return true
		}
	}
	return false
}

// nodesOf returns a function that reports whether a name is that of a node of a cluster.
func (h home) nodesOf(cluster string) func(string) bool {
	node := regexp.MustCompile(`^` + regexp.QuoteMeta(cluster) + `-m[0-9]{2,}$`)
	return func(name string) bool { return name == cluster || node.MatchString(name) && !h.hasProfile(name) }
}

// remove removes the files of a cluster, and those of an ended minikube.
func (h home) remove(name string) error {
	if name != filepath.Base(name) || name == "." || name == ".." {
		return fmt.Errorf("invalid profile name %q", name)
	}
	h.takeCertificateBack(name)
	errs := []error{os.RemoveAll(h.profileDir(name))}
	machines, _ := os.ReadDir(h.machinesDir()) // none if it does not exist
	isNode := h.nodesOf(name)
	for _, m := range machines {
		if isNode(m.Name()) {
			errs = append(errs, os.RemoveAll(filepath.Join(h.machinesDir(), m.Name())))
		}
	}
	return errors.Join(errs...)
}

package minikube

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
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
)

// bornWithin is how long a cluster may take to get a container or a configuration. A
// profile that is older and has none is what something left that broke.
const bornWithin = 5 * time.Minute

// profile is what minikube keeps of a cluster, as far as lab looks.
type profile struct {
	Driver           string
	KicBaseImage     string
	KubernetesConfig struct {
		KubernetesVersion, ContainerRuntime string
		APIServerNames                      []string // one of them is the mark
	}
	Nodes []struct {
		IP   string
		Port int
	}
}

// home is the directory in which minikube keeps everything.
func (p *Provider) home() string {
	home := p.opts.Home
	if home == "" {
		home = os.Getenv("MINIKUBE_HOME")
	}
	if home == "" {
		home, _ = os.UserHomeDir() // without one minikube itself does not work
	}
	if filepath.Base(home) != ".minikube" { // as minikube itself goes about it
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
func (p *Provider) certificate(name string) string {
	return filepath.Join(p.home(), "certs", "lab-"+name+".pem")
}

// names returns the names of all profiles, half-made ones included, and of those that a
// minikube was about to begin when its lab was killed.
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

// profile reads a profile. It returns ErrNotFound where there is none, or one that is
// only begun.
func (p *Provider) profile(name string) (profile, error) {
	var c profile
	path := filepath.Join(p.profileDir(name), "config.json")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, providers.Errorf(providers.ErrNotFound, "minikube has no profile %q", name)
	}
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return c, fmt.Errorf("minikube's profile: %s: %w", path, err)
	}
	return c, nil
}

// address returns where the cluster's API server is in the network of its nodes.
func (c profile) address() (string, error) {
	if len(c.Nodes) == 0 || c.Nodes[0].IP == "" {
		return "", errors.New("it has no address yet")
	}
	return net.JoinHostPort(c.Nodes[0].IP, strconv.Itoa(c.Nodes[0].Port)), nil
}

// identity returns what tells a cluster from a later one of its name, or "" while it is
// being made: minikube makes a certificate for whoever uses it, and keeps that for as
// long as there is the profile.
func (p *Provider) identity(name string) string {
	text, err := os.ReadFile(filepath.Join(p.profileDir(name), "client.crt"))
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// markOf returns the mark of a cluster, and whether all there is of it are files that
// cannot bear one: it gets the mark with its configuration, before it has a container.
func (p *Provider) markOf(name string, containers bool) (mark string, bare bool) {
	config, err := p.profile(name)
	if err != nil {
		return "", !containers || p.hasProfile(name)
	}
	for _, name := range config.KubernetesConfig.APIServerNames {
		if mark, ok := strings.CutSuffix(name, markDomain); ok {
			return mark, false
		}
	}
	return "", false
}

// isYoung tells whether a profile may still be on its way to be a cluster.
func (p *Provider) isYoung(name string) bool {
	for _, dir := range []string{p.profileDir(name), p.scratch(name)} {
		if info, err := os.Stat(dir); err == nil && time.Since(info.ModTime()) < bornWithin {
			return true
		}
	}
	return false
}

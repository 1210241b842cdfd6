package kind

import (
	"context"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// adminFile is the kubeconfig that kubeadm writes in a control plane.
const adminFile = "/etc/kubernetes/admin.conf"

// access is a kubeconfig of one cluster.
type access struct {
	APIVersion     string         `json:"apiVersion"`
	Kind           string         `json:"kind"`
	Clusters       []namedCluster `json:"clusters"`
	Contexts       []namedContext `json:"contexts"`
	CurrentContext string         `json:"current-context"`
	Users          []namedUser    `json:"users"`
}

type namedCluster struct {
	Name    string `json:"name"`
	Cluster struct {
		CA     string `json:"certificate-authority-data"`
		Server string `json:"server"`
	} `json:"cluster"`
}

type namedContext struct {
	Name    string `json:"name"`
	Context struct {
		Cluster string `json:"cluster"`
		User    string `json:"user"`
	} `json:"context"`
}

type namedUser struct {
	Name string `json:"name"`
	User struct {
		Certificate string `json:"client-certificate-data"`
		Key         string `json:"client-key-data"`
	} `json:"user"`
}

// Kubeconfig returns the kubeconfig with the names and the address that kind gives it.
// kind itself could not tell it of a stopped cluster.
func (p *Provider) Kubeconfig(ctx context.Context, name string) ([]byte, error) {
	nodes, err := find(ctx, name)
	if err != nil {
		return nil, err
	}
	first, ok := controlPlane(nodes)
	if !ok {
		return nil, halfMade(name, fmt.Errorf("it has no control plane"))
	}
	admin, err := docker.ReadFile(ctx, first.ID, adminFile)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, halfMade(name, err)
	}
	at, err := address(nodes)
	if err != nil {
		return nil, err
	}
	return rename(admin, "kind-"+name, "https://"+at)
}

// rename returns the kubeconfig of kubeadm with other names and another address.
func rename(admin []byte, name, server string) ([]byte, error) {
	var a access
	if err := yaml.Unmarshal(admin, &a); err != nil {
		return nil, fmt.Errorf("%s: %w", adminFile, err)
	}
	if len(a.Clusters) != 1 || len(a.Users) != 1 || len(a.Contexts) != 1 {
		return nil, fmt.Errorf("%s: %d clusters, %d users and %d contexts, want one of each",
			adminFile, len(a.Clusters), len(a.Users), len(a.Contexts))
	}
	a.CurrentContext, a.Clusters[0].Name, a.Users[0].Name, a.Contexts[0].Name = name, name, name, name
	a.Contexts[0].Context.Cluster, a.Contexts[0].Context.User = name, name
	a.Clusters[0].Cluster.Server = server
	return yaml.Marshal(a)
}

func halfMade(name string, err error) error {
	return providers.WithHint(
		providers.Errorf(providers.ErrUnavailable, "the cluster is half-made: %w", err),
		"lab up %s makes it anew; lab down %s removes what is left", name, name)
}

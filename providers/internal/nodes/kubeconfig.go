package nodes

import (
	"context"
	"encoding/base64"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

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

// Kubeconfig returns the kubeconfig in file of a cluster's first node, which need not run, with
// other names and the address by which this machine reaches the API server. It returns
// ErrNotFound, or ErrUnavailable if the file does not exist yet.
func (t Tool) Kubeconfig(ctx context.Context, ref providers.Ref, file string, names providers.Entries) ([]byte, error) {
	ctx = docker.On(ctx, ref.Engine)
	nodes, err := t.Own(ctx, ref)
	if err != nil {
		return nil, err
	}
	first, ok := t.First(nodes)
	if !ok {
		return nil, Incomplete(ref.Name, fmt.Errorf("it has no control plane"))
	}
	admin, err := docker.ReadFile(ctx, first.ID, file)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, Incomplete(ref.Name, err)
	}
	at, err := t.Address(nodes)
	if err != nil {
		return nil, err
	}
	config, err := rename(admin, names, "https://"+at)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return config, nil
}

// Access is the credentials for a kubeconfig, each PEM, for tools that keep them in files.
type Access struct{ CA, Certificate, Key []byte }

// Kubeconfig returns a self-contained kubeconfig for a server at an address such as
// "127.0.0.1:6443".
func (a Access) Kubeconfig(names providers.Entries, at string) ([]byte, error) {
	var (
		cluster namedCluster
		user    namedUser
		encode  = base64.StdEncoding.EncodeToString
	)
	cluster.Cluster.CA = encode(a.CA)
	user.User.Certificate, user.User.Key = encode(a.Certificate), encode(a.Key)
	k := access{APIVersion: "v1", Kind: "Config", Clusters: []namedCluster{cluster}, Users: []namedUser{user}, Contexts: make([]namedContext, 1)}
	k.name(names, "https://"+at)
	return yaml.Marshal(k)
}

// rename returns a kubeconfig with other names and another address.
func rename(admin []byte, names providers.Entries, server string) ([]byte, error) {
	var a access
	if err := yaml.Unmarshal(admin, &a); err != nil {
		return nil, err
	}
	if len(a.Clusters) != 1 || len(a.Users) != 1 || len(a.Contexts) != 1 {
		return nil, fmt.Errorf("%d clusters, %d users and %d contexts, want one of each", len(a.Clusters), len(a.Users), len(a.Contexts))
	}
	a.name(names, server)
	return yaml.Marshal(a)
}

// name sets the names of the one cluster, user and context, and the address of the cluster.
func (a *access) name(names providers.Entries, server string) {
	a.Clusters[0].Name, a.Clusters[0].Cluster.Server = names.Cluster, server
	a.Users[0].Name = names.User
	a.Contexts[0].Name, a.CurrentContext = names.Context, names.Context
	a.Contexts[0].Context.Cluster, a.Contexts[0].Context.User = names.Cluster, names.User
}

// Incomplete returns ErrUnavailable for a cluster that lacks a part because of err.
func Incomplete(name string, err error) error {
	return fault.WithHint(
		fault.Errorf(fault.ErrUnavailable, "the cluster is incomplete: %w", err),
		"recreate the cluster: lab up %s; or delete it: lab down %s", name, name)
}

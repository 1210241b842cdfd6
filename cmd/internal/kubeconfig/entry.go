package kubeconfig

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// entry is an item of one of the lists, as far as lab reads it.
type entry struct {
	Name    string
	Cluster struct {
		Server string
		CA     string `yaml:"certificate-authority-data"`
	}
	Context struct {
		Cluster, User, Namespace string
		Extensions               []struct {
			Name      string
			Extension yaml.Node
		}
	}
	User struct {
		Certificate string `yaml:"client-certificate-data"`
		Token       string
	}
	doc    *document
	node   *yaml.Node
	memory *memory // of a context that lab added, else nil
}

func newEntry(d *document, node *yaml.Node) *entry {
	e := &entry{doc: d, node: node}
	_ = node.Decode(e) // a field of another type is as good as missing
	for _, x := range e.Context.Extensions {
		if x.Name == extensionName {
			e.memory = &memory{}
			_ = x.Extension.Decode(e.memory)
		}
	}
	return e
}

// content returns a copy of all that the entry says.
func (e *entry) content() map[string]any {
	var content map[string]any
	_ = e.node.Decode(&content) // it was decoded when the file was read
	return content
}

// covers reports whether have says all that want says. It may say more, for example what the
// user added to it.
func covers(have, want any) bool {
	fields, nested := want.(map[string]any)
	if !nested {
		return reflect.DeepEqual(have, want)
	}
	mine, _ := have.(map[string]any)
	for key, value := range fields {
		if !covers(mine[key], value) {
			return false
		}
	}
	return true
}

// cluster is what a self-contained kubeconfig says about the cluster of its current context.
type cluster struct{ context, cluster, user *entry }

func parseCluster(kubeconfig []byte) (cluster, error) {
	d := parse("of the cluster", kubeconfig)
	if d.err != nil {
		return cluster{}, d.err
	}
	c := cluster{context: d.find("contexts", d.current())}
	if c.context == nil {
		return cluster{}, fmt.Errorf("the kubeconfig of the cluster has no context %q", d.current())
	}
	c.cluster = d.find("clusters", c.context.Context.Cluster)
	c.user = d.find("users", c.context.Context.User)
	if c.cluster == nil || c.user == nil {
		return cluster{}, fmt.Errorf("the kubeconfig of the cluster has no %q in clusters or no %q in users", c.context.Context.Cluster, c.context.Context.User)
	}
	if c.cluster.Cluster.CA == "" && c.cluster.Cluster.Server == "" {
		return cluster{}, errors.New("the kubeconfig of the cluster has no address")
	}
	return c, nil
}

// Context returns the name of the current context of a self-contained kubeconfig.
func Context(kubeconfig []byte) (string, error) {
	c, err := parseCluster(kubeconfig)
	if err != nil {
		return "", err
	}
	return c.context.Name, nil
}

// Identity returns what tells the entries of a self-contained kubeconfig from all others: their
// names, the address, and hashes of the certificate authority and of the user's credential.
// Keep it for [Files.Remove].
func Identity(kubeconfig []byte) (string, error) {
	c, err := parseCluster(kubeconfig)
	if err != nil {
		return "", err
	}
	return c.identity().String(), nil
}

// identity tells the entries of one cluster from those of all others. A name alone may be
// another cluster's, and so may a certificate authority: minikube has one for all clusters.
type identity struct {
	context       string // the name; a record has it in a separate field
	cluster, user string // the names of the entries; user is "" in records of older labs
	ca            string // a hash; "" where the cluster has none
	server        string // the address; "" in records of older labs
	credential    string // a hash of the user's; "" in records of older labs
}

func (c cluster) identity() identity {
	return identity{
		context: c.context.Name, cluster: c.cluster.Name, user: c.user.Name,
		ca: hash(c.cluster.Cluster.CA), server: c.cluster.Cluster.Server, credential: c.user.credential(),
	}
}

// String returns the form in which records keep an identity.
func (id identity) String() string {
	return url.Values{
		"cluster": {id.cluster}, "user": {id.user}, "ca": {id.ca}, "server": {id.server}, "credential": {id.credential},
	}.Encode()
}

// parseIdentity reads what String returned, of the cluster that context refers to. Older labs
// recorded the hash of the CA alone or, where there was none, the address. They named clusters
// like their contexts.
func parseIdentity(text, context string) identity {
	v, err := url.ParseQuery(text)
	switch {
	case err == nil && v.Has("cluster"):
		return identity{context, v.Get("cluster"), v.Get("user"), v.Get("ca"), v.Get("server"), v.Get("credential")}
	case strings.HasPrefix(text, "sha256:"):
		return identity{context: context, cluster: context, ca: text}
	}
	return identity{context: context, cluster: context, server: text}
}

// hasCluster reports whether e, which may be nil, is the entry of this cluster: at this address
// or, where the cluster has a CA, at another one.
func (id identity) hasCluster(e *entry) bool {
	return e != nil && e.Name == id.cluster && hash(e.Cluster.CA) == id.ca && (id.ca != "" || e.Cluster.Server == id.server)
}

func (e *entry) credential() string { return hash(cmp.Or(e.User.Certificate, e.User.Token)) }

// hash returns "" for "". Programs fold the same base64 differently.
func hash(text string) string {
	if text == "" {
		return ""
	}
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		data = []byte(text)
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256(data))
}

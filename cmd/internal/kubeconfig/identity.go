package kubeconfig

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"
)

// identity tells the entries of one cluster from those of all others. A name alone may be
// another cluster's, and so may a certificate authority: minikube has one for all clusters.
type identity struct {
	cluster, user string // the names of the entries; user is "" in records of older labs
	ca            string // a hash; "" where the cluster has none
	server        string // the address; "" in records of older labs
	credential    string // a hash of what the user authenticates with; "" in records of older labs
}

// String returns the form in which records keep an identity.
func (i identity) String() string {
	v := url.Values{}
	for key, value := range map[string]string{
		"cluster": i.cluster, "user": i.user, "ca": i.ca, "server": i.server, "credential": i.credential,
	} {
		if value != "" {
			v.Set(key, value)
		}
	}
	return v.Encode()
}

// parseIdentity reads what String returned, of the cluster that context refers to. Older
// labs recorded the hash of the CA alone or, where there was none, the address. They named
// clusters like their contexts.
func parseIdentity(text, context string) identity {
	v, err := url.ParseQuery(text)
	if err == nil && v.Has("cluster") {
		return identity{v.Get("cluster"), v.Get("user"), v.Get("ca"), v.Get("server"), v.Get("credential")}
	}
	if strings.HasPrefix(text, "sha256:") {
		return identity{cluster: context, ca: text}
	}
	return identity{cluster: context, server: text}
}

// hasCluster tells whether an item of clusters is this cluster's, at this address or,
// where it has a CA, at another one.
func (i identity) hasCluster(item *yaml.Node) bool {
	ca, server := clusterOf(item)
	return item != nil && nameOf(item) == i.cluster && ca == i.ca && (i.ca != "" || server == i.server)
}

// hasAddress tells whether an item of clusters has this cluster's address.
func (i identity) hasAddress(item *yaml.Node) bool {
	_, server := clusterOf(item)
	return i.server == "" || i.server == server
}

// hasUser tells whether an item of users is this cluster's.
func (i identity) hasUser(item *yaml.Node) bool {
	return item != nil && i.credential != "" && nameOf(item) == i.user && credentialOf(item) == i.credential
}

// hasContext tells whether a context is lab's and refers to this cluster. One without lab's
// mark, which the tool itself may have written, must have the name and this cluster's user.
func (i identity) hasContext(c contextEntry, name string, docs []*document) bool {
	marked := c.marked || c.name == name && i.hasUser(findIn(docs, "users", c.user))
	return marked && i.hasCluster(findIn(docs, "clusters", c.cluster))
}

// findIn returns the item that kubectl would use: that of the first file that has one.
func findIn(docs []*document, list, name string) *yaml.Node {
	for _, d := range docs {
		if item := d.find(list, name); item != nil {
			return item
		}
	}
	return nil
}

func clusterOf(item *yaml.Node) (ca, server string) {
	var v struct {
		Cluster struct {
			Server string
			CA     string `yaml:"certificate-authority-data"`
		}
	}
	if item == nil || item.Decode(&v) != nil {
		return "", ""
	}
	return hash(v.Cluster.CA), v.Cluster.Server
}

func credentialOf(item *yaml.Node) string {
	var v struct {
		User struct {
			Certificate string `yaml:"client-certificate-data"`
			Token       string
		}
	}
	if item == nil || item.Decode(&v) != nil {
		return ""
	}
	return hash(cmp.Or(v.User.Certificate, v.User.Token))
}

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

package kubeconfig

import (
	"errors"
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// entry is one cluster's part of a kubeconfig: a context and what it names.
type entry struct {
	context, cluster, user string // names
	identity               identity
	items                  map[string]map[string]any // by list
}

// Identity returns what tells the entries of a self-contained kubeconfig from all others:
// their names, the address, and hashes of the certificate authority and of what the user
// authenticates with. Keep it for [Files.Remove].
func Identity(kubeconfig []byte) (string, error) {
	e, err := parseEntry(kubeconfig)
	if err != nil {
		return "", err
	}
	return e.identity.String(), nil
}

// Context returns the name of the current context of a self-contained kubeconfig.
func Context(kubeconfig []byte) (string, error) {
	e, err := parseEntry(kubeconfig)
	if err != nil {
		return "", err
	}
	return e.context, nil
}

// parseEntry reads the current context of a cluster's own kubeconfig.
func parseEntry(kubeconfig []byte) (*entry, error) {
	d, err := parse("of the cluster", kubeconfig)
	if err != nil {
		return nil, err
	}
	c := d.findContext(d.current())
	if c == nil {
		return nil, fmt.Errorf("the kubeconfig of the cluster has no context %q", d.current())
	}
	e := &entry{context: c.name, cluster: c.cluster, user: c.user, items: map[string]map[string]any{}}
	id := identity{cluster: c.cluster, user: c.user, credential: credentialOf(d.find("users", c.user))}
	id.ca, id.server = clusterOf(d.find("clusters", c.cluster))
	if e.identity = id; e.context == "" || id.ca == "" && id.server == "" {
		return nil, errors.New("the kubeconfig of the cluster lacks a context's name, or a cluster's address")
	}
	for list, name := range map[string]string{"clusters": e.cluster, "contexts": e.context, "users": e.user} {
		item := d.find(list, name)
		if item == nil {
			return nil, fmt.Errorf("the kubeconfig of the cluster has no %q among its %s", name, list)
		}
		var content map[string]any
		if err := item.Decode(&content); err != nil {
			return nil, fmt.Errorf("the kubeconfig of the cluster: %w", err)
		}
		e.items[list] = content
	}
	return e, nil
}

// contextEntry is one item of contexts.
type contextEntry struct {
	name, cluster, user string
	mem                 memory
	marked              bool // lab added it
	item                *yaml.Node
}

func (d *document) findContext(name string) *contextEntry {
	item := d.find("contexts", name)
	if item == nil {
		return nil
	}
	c := newContext(item)
	return &c
}

func (d *document) contexts() []contextEntry {
	var all []contextEntry
	for _, item := range d.list("contexts") {
		all = append(all, newContext(item))
	}
	return all
}

func newContext(item *yaml.Node) contextEntry {
	var v struct {
		Context struct{ Cluster, User string }
	}
	_ = item.Decode(&v) // what nobody could use still has its name
	c := contextEntry{name: nameOf(item), cluster: v.Context.Cluster, user: v.Context.User, item: item}
	c.mem, c.marked = recall(item)
	return c
}

func (d *document) list(name string) []*yaml.Node {
	_, value := lookup(d.root, name)
	if value == nil || deref(value).Kind != yaml.SequenceNode {
		return nil
	}
	return deref(value).Content
}

func (d *document) find(list, name string) *yaml.Node {
	for _, item := range d.list(list) {
		if name != "" && nameOf(item) == name {
			return item
		}
	}
	return nil
}

// covers tells whether an item of a file says all that want says; it may say more,
// where the user added to it.
func covers(item *yaml.Node, want map[string]any) bool {
	var have map[string]any
	if item == nil || item.Decode(&have) != nil {
		return false
	}
	for key, value := range want {
		inner, nested := value.(map[string]any)
		if !nested {
			if !reflect.DeepEqual(have[key], value) {
				return false
			}
			continue
		}
		mine, _ := have[key].(map[string]any)
		for k, v := range inner {
			if !reflect.DeepEqual(mine[k], v) {
				return false
			}
		}
	}
	return true
}

package kubeconfig

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Options of Merge.
type Options struct {
	SetCurrent bool // make the context the current one
}

// Merged is what Merge did.
type Merged struct {
	Path     string // the file that holds the entries; keep it for Remove
	Context  string // the context's name
	Previous string // the context that was current before; "" where it was none, or this one
}

// Merge adds the cluster, the user and the context of a self-contained kubeconfig
// to the user's, or updates them: a context of this cluster keeps what the user added
// to it. It writes to the file that has the context, else to the one that kubectl would
// write to, and locks and writes nothing where nothing changes.
//
// Errors: ErrExists where an entry of that name is another cluster's; ErrInvalid
// for a file that cannot be edited; ErrUnavailable where it cannot be locked or
// written. After an error the file is as it was.
func (f Files) Merge(ctx context.Context, kubeconfig []byte, o Options) (Merged, error) {
	in, err := parseEntry(kubeconfig)
	if err != nil {
		return Merged{}, err
	}
	done := Merged{Context: in.context}
	if done.Path, err = f.home(in.context); err != nil {
		return Merged{}, err
	}
	err = f.update(ctx, done.Path, func(d *document) error {
		// Under the lock, for another program may have been here just now.
		docs, err := f.read(d)
		if err != nil {
			return err
		}
		if d.created {
			docs = append(docs, d)
		}
		if err := in.clash(docs); err != nil {
			return err
		}
		if current := currentOf(docs); o.SetCurrent && current != in.context {
			done.Previous = current
		}
		return d.merge(in, o, done.Previous)
	})
	if err == nil && o.SetCurrent && done.Path != f.writePath() {
		err = f.Use(ctx, in.context)
	}
	return done, err
}

// home returns the file that has the context, else the one for new entries.
func (f Files) home(context string) (string, error) {
	if len(f.Paths) == 0 {
		return "", noPlace()
	}
	if len(f.Paths) > 1 {
		docs, err := f.read(nil)
		if err != nil {
			return "", err
		}
		for _, d := range docs {
			if d.findContext(context) != nil {
				return d.path, nil
			}
		}
	}
	return f.writePath(), nil
}

// merge puts in into the document. The order is that in which kubectl writes.
func (d *document) merge(in *entry, o Options, previous string) error {
	blank := len(d.root.Content) == 0
	item, m := in.contextItem(d)
	if blank {
		m.Created, m.CreatedDir = d.created, d.createdDir
		m.Added = append(m.Added, "apiVersion", "kind")
		d.addScalar("apiVersion", "v1")
	}
	for _, list := range lists() {
		m.note(d, list)
	}
	if o.SetCurrent {
		m.note(d, currentContext)
	}
	if previous != "" {
		m.Previous = previous
	}
	m.Credential = in.identity.credential
	if err := m.attach(item); err != nil {
		return err
	}
	if err := d.bring("clusters", in.items["clusters"]); err != nil {
		return err
	}
	if err := d.bring("contexts", item); err != nil {
		return err
	}
	if o.SetCurrent {
		d.setCurrent(in.context)
	}
	if blank {
		d.addScalar("kind", "Config")
	}
	return d.bring("users", in.items["users"])
}

// contextItem returns the context as it shall be, and what lab remembers in it:
// the user's version, where the document has this very context.
func (in *entry) contextItem(d *document) (map[string]any, memory) {
	c := d.findContext(in.context)
	if c == nil || !in.identity.hasContext(*c, in.context, []*document{d}) {
		return in.items["contexts"], memory{}
	}
	var item map[string]any
	if c.item.Decode(&item) != nil {
		return in.items["contexts"], c.mem
	}
	return item, c.mem
}

// bring puts item into a list, unless the list has it.
func (d *document) bring(list string, item map[string]any) error {
	name, _ := item["name"].(string)
	have := d.find(list, name)
	if covers(have, item) {
		return nil
	}
	return d.put(list, item)
}

// clash returns ErrExists where entries of the same names are not this cluster's.
func (in *entry) clash(docs []*document) error {
	names := providers.Entries{Cluster: in.cluster, User: in.user, Context: in.context}
	r := newRemoval(in.context, in.identity.String())
	var errs []error
	for _, d := range docs {
		errs = append(errs, d.clash(names, r, docs))
	}
	return join(errs)
}

// clash returns ErrExists where d, which is one of all, has entries of these names that are
// not those of the cluster of r.
func (d *document) clash(names providers.Entries, r *removal, all []*document) error {
	mine := r.owned(d, all)
	for _, item := range d.list("users") {
		if slices.Contains(r.users, nameOf(item)) { // whose certificate was renewed
			mine.users = append(mine.users, item)
		}
	}
	var taken, commands []string
	for _, e := range []struct {
		what, name string
		mine       []*yaml.Node
	}{
		{"context", names.Context, mine.contexts}, {"cluster", names.Cluster, mine.clusters}, {"user", names.User, mine.users},
	} {
		item := d.find(e.what+"s", e.name)
		if item == nil || slices.Contains(e.mine, item) {
			continue
		}
		taken = append(taken, fmt.Sprintf("the %s %q", e.what, e.name))
		commands = append(commands, fmt.Sprintf("kubectl config delete-%s %s", e.what, e.name))
	}
	if len(taken) == 0 {
		return nil
	}
	err := fault.Errorf(fault.ErrExists, "the kubeconfig %s already has entries of another cluster: %s", d.path, strings.Join(taken, ", "))
	return fault.WithHint(err, "if you do not need them: %s", strings.Join(commands, " && "))
}

package kubeconfig

import (
	"context"

	"github.com/clusterlab-dev/lab/providers"
)

// Options of Merge.
type Options struct {
	SetCurrent bool // make the context the current one
	Overwrite  bool // replace entries of the same names that are another cluster's
}

// Merged is what Merge did.
type Merged struct {
	Path     string // the file that holds the entries; keep it for Remove
	Context  string // the context's name
	Previous string // the context that was current before; "" where it was none, or this one
}

// Merge adds the cluster, the user and the context of a self-contained kubeconfig
// to the user's, or brings them up to date: a context that is there already, and
// is this cluster's, keeps what the user made of it. It writes to the file that
// has the context, else to the one that kubectl would write to, and writes nothing
// where nothing changes.
//
// Errors: ErrExists where an entry of that name is another cluster's; ErrInvalid
// for a file that cannot be edited; ErrUnavailable where it cannot be locked or
// written. After an error the file is as it was.
func (f Files) Merge(ctx context.Context, kubeconfig []byte, o Options) (Merged, error) {
	in, err := parseEntry(kubeconfig)
	if err != nil {
		return Merged{}, err
	}
	docs, err := f.read()
	if err != nil {
		return Merged{}, err
	}
	done := Merged{Path: f.writePath(), Context: in.context}
	for _, d := range docs {
		if d.findContext(in.context) != nil {
			done.Path = d.path
			break
		}
	}
	err = f.update(ctx, done.Path, func(d *document) error {
		// Under the lock, for another lab may have been here just now.
		docs, err := f.read()
		if err != nil {
			return err
		}
		if err := in.clash(docs); err != nil && !o.Overwrite {
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
	if c == nil || d.identity(c.cluster) != in.identity {
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

// clash returns ErrExists where an entry of the same name is not this cluster's.
func (in *entry) clash(docs []*document) error {
	for _, d := range docs {
		c := d.findContext(in.context)
		if c != nil && d.identity(c.cluster) != in.identity {
			return taken(d.path, "context", in.context)
		}
		if id := d.identity(in.cluster); id != "" && id != in.identity {
			return taken(d.path, "cluster", in.cluster)
		}
		user := d.find("users", in.user)
		ours := c != nil && c.user == in.user
		if user != nil && !ours && !covers(user, in.items["users"]) {
			return taken(d.path, "user", in.user)
		}
	}
	return nil
}

func taken(path, what, name string) error {
	err := providers.Errorf(providers.ErrExists, "the kubeconfig %s has a %s %q that is another cluster's", path, what, name)
	return providers.WithHint(err, "if it is of no use any more: kubectl config delete-%s %s; or leave it alone: --no-kubeconfig", what, name)
}

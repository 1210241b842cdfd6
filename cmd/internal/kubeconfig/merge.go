package kubeconfig

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Options of Merge.
type Options struct {
	SetCurrent bool // make the context the current one
}

// Merged is the result of Merge.
type Merged struct {
	Path     string // the file that has the entries; keep it for Remove
	Context  string // the context's name
	Previous string // the context that was current before; "" where it was none, or this one
}

// Merge adds the cluster, the user and the context of a self-contained kubeconfig to the user's,
// or updates them: a context of this cluster keeps what the user added to it. It writes to the
// file that has the context, else to the one that kubectl would write to.
//
// Errors: ErrExists where an entry of that name is another cluster's; ErrInvalid for a file
// that cannot be edited; ErrUnavailable where it cannot be locked or written. After an error
// the file is as it was.
func (f Files) Merge(ctx context.Context, kubeconfig []byte, o Options) (Merged, error) {
	in, err := parseCluster(kubeconfig)
	if err != nil {
		return Merged{}, err
	}
	if len(f.Paths) == 0 {
		return Merged{}, f.noPlace()
	}
	id := in.identity()
	names := providers.Entries{Cluster: id.cluster, User: id.user, Context: id.context}
	var done Merged
	err = f.edit(ctx, func(docs documents) error {
		if err := cmp.Or(docs.err(), join(docs.clash(names, id)...)); err != nil {
			return err
		}
		written := docs.written()
		d := written
		if have := docs.find("contexts", id.context); have != nil {
			d = have.doc
		}
		done = Merged{Path: d.path, Context: id.context}
		if current := docs.current(); o.SetCurrent && current != id.context {
			done.Previous = current
		}
		if o.SetCurrent && d != written {
			written.setCurrent(id.context)
		}
		return d.merge(in, done.Previous, o.SetCurrent && d == written)
	})
	return done, err
}

// merge adds the entries of a cluster that has no conflict with them, in the order in which
// kubectl writes.
func (d *document) merge(in cluster, previous string, setCurrent bool) error {
	have := cmp.Or(d.find("contexts", in.context.Name), in.context)
	item, m := have.content(), *cmp.Or(have.memory, &memory{})
	blank := len(d.root.Content) == 0
	if blank {
		m.Created, m.CreatedDir = d.missing, d.newDir
		m.add("apiVersion", "kind")
		d.set("apiVersion", " v1")
	}
	for _, list := range lists() {
		m.note(d, list)
	}
	if setCurrent {
		m.note(d, currentContext)
	}
	m.Previous = cmp.Or(previous, m.Previous)
	m.Credential = in.user.credential()
	if err := cmp.Or(m.attach(item), d.update("clusters", in.cluster.content()), d.update("contexts", item)); err != nil {
		return err
	}
	if setCurrent {
		d.setCurrent(in.context.Name)
	}
	if blank {
		d.set("kind", " Config")
	}
	return d.update("users", in.user.content())
}

// update puts content into a list, unless the entry there says all of it.
func (d *document) update(list string, content map[string]any) error {
	name, _ := content["name"].(string)
	if have := d.find(list, name); have != nil && covers(have.content(), content) {
		return nil
	}
	return d.put(list, content)
}

// clash returns ErrExists where the documents have entries of these names that are not those of
// the cluster with this identity.
func (docs documents) clash(names providers.Entries, id identity) (errs []error) {
	mine := docs.owned(id)
	for _, d := range docs {
		errs = append(errs, d.clash(names, mine))
	}
	return errs
}

func (d *document) clash(names providers.Entries, mine owned) error {
	var taken, commands []string
	for _, e := range []struct{ what, name string }{{"context", names.Context}, {"cluster", names.Cluster}, {"user", names.User}} {
		have := d.find(e.what+"s", e.name)
		renewed := e.what == "user" && slices.Contains(mine.users, e.name) // its certificate
		if have == nil || mine.entries[have] || renewed {
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

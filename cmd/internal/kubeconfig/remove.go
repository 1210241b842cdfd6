package kubeconfig

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Remove takes out of the user's kubeconfig what Merge put there for the context
// of a cluster with that identity: its context, also one renamed since, its
// cluster and its user. A cluster or user that another context still refers to stays,
// and so does every entry whose content is not this cluster's, whatever its name. Where
// the current context goes, the one before Merge becomes current if it still exists,
// else none. A file that lab made and nobody else wrote to is removed.
//
// Only files that change are locked and written. A file that cannot be read as a
// kubeconfig is skipped if it does not mention the cluster. One that cannot be read at all
// is skipped if it is not in f.Holders.
//
// Errors: ErrInvalid for a file that cannot be edited; ErrUnavailable where it
// cannot be locked or written. Remove can be called again.
func (f Files) Remove(ctx context.Context, context, identity string) error {
	if identity == "" {
		return nil // nothing was ever merged
	}
	r := newRemoval(context, identity)
	// Twice, because the context may be current in a file before the one that has
	// it. The second round usually finds nothing to do.
	for range 2 {
		sources := f.sources("")
		var errs []error
		for _, s := range sources {
			errs = append(errs, f.removeFrom(ctx, s, r))
		}
		if err := errors.Join(errs...); err != nil || len(sources) < 2 {
			return err
		}
	}
	return nil
}

func (f Files) removeFrom(ctx context.Context, s source, r *removal) error {
	if s.err != nil {
		if len(f.Holders) > 0 && !slices.Contains(f.Holders, s.path) {
			return nil
		}
		return s.err
	}
	edit := func(d *document) error {
		docs, _ := f.read(d) // a file that cannot be read refers to nothing
		return r.apply(d, docs)
	}
	if s.settled {
		d, err := parse(s.path, s.data)
		if err != nil && !bytes.Contains(s.data, []byte(r.ids[0].cluster)) {
			return nil
		}
		if err == nil {
			err = edit(d)
		}
		if err != nil || !d.touched {
			return err
		}
	}
	return f.update(ctx, s.path, edit)
}

// removal collects what must be known across the files.
type removal struct {
	context  string
	ids      []identity // as recorded, and with the credentials that the files note
	users    []string   // whom the contexts referred to
	found    bool       // there is a context of lab's that refers to the cluster
	gone     []string   // names of contexts
	previous string     // the context to return to
}

func newRemoval(context, recorded string) *removal {
	return &removal{context: context, ids: []identity{parseIdentity(recorded, context)}}
}

func (r *removal) apply(d *document, all []*document) error {
	mine := r.owned(d, all)
	var m memory
	for _, c := range mine.marks {
		r.gone = append(r.gone, c.name)
		m.inherit(c.mem)
	}
	if err := r.bequeath(d, m, mine.contexts); err != nil {
		return err
	}
	d.drop("clusters", unused(mine.clusters, mine.shared.clusters), m)
	d.drop("contexts", mine.contexts, m)
	d.drop("users", unused(mine.users, mine.shared.users), m)
	r.restoreCurrent(d, m, all)
	if len(mine.contexts) == 0 || d.hasEntries() {
		return nil
	}
	for _, name := range []string{"apiVersion", "kind"} {
		if key, _ := lookup(d.root, name); key != nil && slices.Contains(m.Added, name) {
			d.removeKey(key)
		}
	}
	d.unused, d.unusedDir = m.Created, m.CreatedDir
	return nil
}

// owned are the entries of a cluster in one file.
type owned struct {
	clusters, contexts, users []*yaml.Node
	marks                     []contextEntry                     // contexts
	shared                    struct{ clusters, users []string } // that other contexts refer to, in any file
}

func unused(items []*yaml.Node, shared []string) []*yaml.Node {
	return slices.DeleteFunc(slices.Clone(items), func(item *yaml.Node) bool { return slices.Contains(shared, nameOf(item)) })
}

// owned finds this cluster's entries in d, which is one of all.
func (r *removal) owned(d *document, all []*document) owned {
	var mine owned
	for _, o := range all {
		for _, c := range o.contexts() {
			if !r.owns(c, all) {
				mine.shared.clusters = append(mine.shared.clusters, c.cluster)
				mine.shared.users = append(mine.shared.users, c.user)
				continue
			}
			r.learn(c)
			if o == d {
				mine.contexts, mine.marks = append(mine.contexts, c.item), append(mine.marks, c)
			}
		}
	}
	for _, item := range d.list("clusters") {
		if r.ids[0].hasCluster(item) && (r.ids[0].hasAddress(item) || r.found) {
			mine.clusters = append(mine.clusters, item)
		}
	}
	for _, item := range d.list("users") {
		known := slices.ContainsFunc(r.ids, func(id identity) bool { return id.hasUser(item) })
		// An older lab did not record whose the user is.
		known = known || r.ids[0].credential == "" && slices.Contains(r.users, nameOf(item))
		if known {
			mine.users = append(mine.users, item)
		}
	}
	return mine
}

func (r *removal) owns(c contextEntry, all []*document) bool {
	id := r.ids[0]
	dangling := c.marked && c.name == r.context && c.cluster == id.cluster && findIn(all, "clusters", c.cluster) == nil
	return dangling || slices.ContainsFunc(r.ids, func(id identity) bool { return id.hasContext(c, r.context, all) })
}

// learn takes over what a context of this cluster says.
func (r *removal) learn(c contextEntry) {
	r.found = true
	r.users = append(r.users, c.user)
	r.previous = cmp.Or(c.mem.Previous, r.previous)
	noted := r.ids[0]
	noted.user, noted.credential = c.user, c.mem.Credential
	if noted.credential != "" && !slices.Contains(r.ids, noted) {
		r.ids = append(r.ids, noted)
	}
}

// bequeath hands what the contexts that go remember to those of lab's that stay:
// whichever goes last gives the file back as it was before the first came.
func (r *removal) bequeath(d *document, m memory, gone []*yaml.Node) error {
	heir := m.ofFile()
	for _, c := range d.contexts() {
		if !c.marked || slices.Contains(gone, c.item) {
			continue
		}
		orphan := slices.Contains(r.gone, c.mem.Previous)
		if !orphan && !heir {
			continue
		}
		if orphan {
			c.mem.Previous = r.previous
		}
		if heir {
			c.mem.inherit(m)
			heir = false
		}
		var item map[string]any
		if err := c.item.Decode(&item); err != nil {
			return d.invalid(err)
		}
		if err := c.mem.attach(item); err != nil {
			return err
		}
		if err := d.put("contexts", item); err != nil {
			return err
		}
	}
	return nil
}

// restoreCurrent ends that d's current context is one of those that are gone.
func (r *removal) restoreCurrent(d *document, m memory, all []*document) {
	current := d.current()
	if current == "" || !slices.Contains(append(r.gone, r.context), current) || d.findContext(current) != nil {
		return
	}
	others := slices.DeleteFunc(slices.Clone(all), func(o *document) bool { return o.path == d.path })
	stays := func(o *document) bool {
		c := o.findContext(current)
		return c != nil && !r.owns(*c, all)
	}
	if slices.ContainsFunc(others, stays) {
		return // it lives in another file
	}
	// A file that said nothing need not, where the next one says it again.
	silent := slices.Contains(m.Added, currentContext) && currentOf(others) == r.previous
	if !silent && defines(append(others, d), r.previous) {
		d.setCurrent(r.previous)
		return
	}
	key, _ := lookup(d.root, currentContext)
	d.clear(key, m)
}

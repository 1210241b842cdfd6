package kubeconfig

import (
	"context"
	"slices"
)

// Remove takes out of the user's kubeconfig what Merge put there for the context
// of a cluster with that identity: its context, also one renamed since, its
// cluster, and its user unless a context of another cluster uses it. Where the
// current context goes, the one before Merge becomes current if it still exists,
// else none. A file that lab made and nobody else wrote to is removed. Entries
// of the same names with another identity are left alone, and so is everything
// where there is nothing of the cluster.
//
// Errors: ErrInvalid for a file that cannot be edited; ErrUnavailable where it
// cannot be locked or written. Remove can be called again.
func (f Files) Remove(ctx context.Context, context, identity string) error {
	if identity == "" {
		return nil // nothing was ever merged
	}
	r := &removal{context: context, identity: identity}
	// Twice, because the context may be current in a file before the one that has
	// it. The second round usually finds nothing to do.
	for range 2 {
		docs, err := f.read()
		if err != nil {
			return err
		}
		for _, d := range docs {
			err := f.update(ctx, d.path, func(d *document) error {
				docs, err := f.read()
				if err != nil {
					return err
				}
				return r.apply(d, docs)
			})
			if err != nil {
				return err
			}
		}
		if len(docs) < 2 {
			break
		}
	}
	return nil
}

// removal collects what must be known across the files.
type removal struct {
	context, identity string
	gone              []string // names of contexts
	previous          string   // the context to return to
}

func (r *removal) apply(d *document, all []*document) error {
	clusters, contexts, users := r.owned(d)
	var m memory
	for _, c := range contexts {
		r.gone = append(r.gone, c.name)
		if c.mem.Previous != "" {
			r.previous = c.mem.Previous
		}
		m.inherit(c.mem)
	}
	gone := names(contexts)
	if err := r.bequeath(d, m, gone); err != nil {
		return err
	}
	d.drop("clusters", clusters, m)
	d.drop("contexts", gone, m)
	d.drop("users", users, m)
	r.restoreCurrent(d, m, all)
	if len(contexts) == 0 || d.hasEntries() {
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

// owned finds this cluster's entries in d.
func (r *removal) owned(d *document) (clusters []string, contexts []contextEntry, users []string) {
	for _, item := range d.list("clusters") {
		if identityOf(item) == r.identity {
			clusters = append(clusters, nameOf(item))
		}
	}
	kept := map[string]bool{}
	for _, c := range d.contexts() {
		ours := slices.Contains(clusters, c.cluster)
		dangling := c.marked && d.find("clusters", c.cluster) == nil
		switch {
		case ours && (c.marked || c.name == r.context), dangling && c.name == r.context:
			contexts = append(contexts, c)
		case !ours:
			kept[c.user] = true
		}
	}
	for _, c := range contexts {
		if !kept[c.user] {
			users = append(users, c.user)
		}
	}
	return clusters, contexts, users
}

// bequeath hands what the contexts that go remember to those of lab's that stay:
// whichever goes last gives the file back as it was before the first came.
func (r *removal) bequeath(d *document, m memory, gone []string) error {
	heir := m.ofFile()
	for _, c := range d.contexts() {
		if !c.marked || slices.Contains(gone, c.name) {
			continue
		}
		orphan := slices.Contains(gone, c.mem.Previous)
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
	if defines(others, current) {
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

func names(contexts []contextEntry) []string {
	var out []string
	for _, c := range contexts {
		out = append(out, c.name)
	}
	return out
}

package kubeconfig

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"strings"
)

// Remove removes from the user's kubeconfig what Merge added for the context of a cluster with
// that identity: its context, also a renamed one, its cluster and its user. A cluster or user
// that another context refers to stays, and so does every entry whose content is not this
// cluster's, whatever its name. If the current context is removed, the one before Merge becomes
// current where it still exists, else none. A file that lab created and that has nothing else
// is removed.
//
// A file that is not a kubeconfig is skipped if it does not mention the cluster. A file that is
// not readable is skipped if it is not in f.Holders.
//
// Errors: ErrInvalid for a file that cannot be edited; ErrUnavailable where it cannot be locked
// or written. Remove can be called again.
func (f Files) Remove(ctx context.Context, context, recorded string) error {
	if recorded == "" {
		return nil // Merge was never called
	}
	id := parseIdentity(recorded, context)
	return f.edit(ctx, func(docs documents) error {
		var errs []error
		for _, d := range docs {
			unread := d.text == ""
			holds := len(f.Holders) == 0 || slices.Contains(f.Holders, d.path)
			if unread && holds || strings.Contains(d.text, id.cluster) {
				errs = append(errs, d.err)
			}
		}
		return cmp.Or(join(errs...), docs.remove(id))
	})
}

func (docs documents) remove(id identity) error {
	mine := docs.owned(id)
	restore := make([]memory, len(docs))
	for i, d := range docs {
		for _, c := range d.entries("contexts") {
			if mine.entries[c] && c.memory != nil {
				restore[i].inherit(*c.memory)
			}
		}
		if err := d.handOver(restore[i], mine); err != nil {
			return err
		}
		for _, list := range lists() {
			d.drop(list, mine.removable, restore[i])
		}
	}
	// A file may be silent about the current context where a later one names it.
	for i, d := range slices.Backward(docs) {
		docs.restoreCurrent(d, mine, restore[i])
		d.empty(restore[i])
	}
	return nil
}

// owned are the entries of one cluster in all files.
type owned struct {
	entries   map[*entry]bool
	removable map[*entry]bool // the entries that no other context refers to
	recorded  string          // the name of its context, which may be gone
	contexts  []string        // the names of its contexts
	users     []string        // the users that its contexts refer to
	previous  string          // the context that was current before lab added them
}

// owned returns the entries of the cluster.
func (docs documents) owned(id identity) owned {
	mine := owned{entries: map[*entry]bool{}, removable: map[*entry]bool{}, recorded: id.context}
	users := map[login]bool{{id.user, id.credential}: id.credential != ""}
	shared := map[string]bool{}
	for _, c := range slices.Concat(docs.contexts(true), docs.contexts(false)) {
		if !docs.owns(id, users, c) {
			shared["clusters "+c.Context.Cluster], shared["users "+c.Context.User] = true, true
			continue
		}
		mine.entries[c], mine.removable[c] = true, true
		mine.contexts, mine.users = append(mine.contexts, c.Name), append(mine.users, c.Context.User)
		if c.memory != nil { // which may have a newer credential than the record, or an older one
			mine.previous = cmp.Or(c.memory.Previous, mine.previous)
			users[login{c.Context.User, c.memory.Credential}] = c.memory.Credential != ""
		}
	}
	for _, e := range docs.entries("clusters") {
		moved := id.server != "" && id.server != e.Cluster.Server
		if id.hasCluster(e) && (!moved || len(mine.contexts) > 0) {
			mine.entries[e], mine.removable[e] = true, !shared["clusters "+e.Name]
		}
	}
	for _, e := range docs.entries("users") {
		old := id.credential == "" && slices.Contains(mine.users, e.Name) // an older record
		if old || users[login{e.Name, e.credential()}] {
			mine.entries[e], mine.removable[e] = true, !shared["users "+e.Name]
		}
	}
	return mine
}

// login is the name of a user with a hash of the credential.
type login struct{ user, credential string }

// owns reports whether c is a context of the cluster: lab added it and it refers to the cluster,
// or it has the recorded name and a known user, because the tool itself may have written it.
func (docs documents) owns(id identity, users map[login]bool, c *entry) bool {
	cluster, user := docs.find("clusters", c.Context.Cluster), docs.find("users", c.Context.User)
	switch {
	case c.memory == nil:
		return id.hasCluster(cluster) && c.Name == id.context && user != nil && users[login{user.Name, user.credential()}]
	case cluster == nil:
		return c.Name == id.context && c.Context.Cluster == id.cluster
	}
	return id.hasCluster(cluster)
}

// handOver gives what removed contexts remember to the contexts of lab that stay: when the last
// one is removed, the file becomes what it was before the first was added.
func (d *document) handOver(m memory, mine owned) error {
	heir := m.hasFile()
	for _, c := range d.entries("contexts") {
		if c.memory == nil || mine.entries[c] {
			continue
		}
		next := *c.memory
		if slices.Contains(mine.contexts, next.Previous) {
			next.Previous = mine.previous
		}
		if heir {
			next.inherit(m)
			heir = false
		}
		if reflect.DeepEqual(next, *c.memory) {
			continue
		}
		item := c.content()
		if err := cmp.Or(next.attach(item), d.put("contexts", item)); err != nil {
			return err
		}
	}
	return nil
}

// restoreCurrent gives d the current context that it had before, if its current one was removed.
func (docs documents) restoreCurrent(d *document, mine owned, m memory) {
	current := d.current()
	if current == "" || !slices.Contains(append(mine.contexts, mine.recorded), current) || docs.find("contexts", current) != nil {
		return
	}
	others := slices.DeleteFunc(slices.Clone(docs), func(o *document) bool { return o == d })
	silent := slices.Contains(m.Added, currentContext) && others.current() == mine.previous
	if !silent && docs.find("contexts", mine.previous) != nil {
		d.setCurrent(mine.previous)
	} else {
		d.clear(currentContext, m)
	}
}

// empty removes what m says that lab added to a file without entries, the file included.
func (d *document) empty(m memory) {
	for _, p := range d.pieces {
		if p.item != nil || p.key != nil && p.key.Value != "apiVersion" && p.key.Value != "kind" && !isEmpty(p.value) {
			return
		}
	}
	for _, name := range []string{"apiVersion", "kind"} {
		if slices.Contains(m.Added, name) {
			d.remove(name)
		}
	}
	d.unused, d.unusedDir = m.Created, m.CreatedDir
}

// Package kubeconfig adds a cluster to the user's kubeconfig, and removes it without a trace.
//
// The file is the user's: what lab did not write keeps its comments, order and quoting, a file
// that lab cannot read is never written, and entries of other clusters are never changed.
package kubeconfig

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Files are the kubeconfig files of one user.
type Files struct {
	Paths    []string      // the first that has an entry wins, as in kubectl; none where there is no place for a kubeconfig
	Holders  []string      // the files that may hold the entries of a cluster; none: any may
	Patience time.Duration // how long to wait for other programs that edit the files; 0 is 10 seconds
	unnamed  string        // a value of $KUBECONFIG that names no file, or ""
}

// FromEnv returns the files that kubectl uses: those that $KUBECONFIG lists, else the one in the
// home directory. Their paths are absolute, so that they can be recorded. kubectl has no file
// where $KUBECONFIG has separators only, and the working directory's where there is no home
// directory: there, nobody expects keys, so lab has no file in both cases.
func FromEnv(getenv func(string) string, home string) Files {
	var f Files
	list := getenv("KUBECONFIG")
	for _, path := range filepath.SplitList(list) {
		if path == "" {
			continue
		}
		if full, err := filepath.Abs(path); err == nil {
			path = full
		}
		if !slices.Contains(f.Paths, path) {
			f.Paths = append(f.Paths, path)
		}
	}
	switch {
	case list == "" && home != "":
		f.Paths = []string{filepath.Join(home, ".kube", "config")}
	case len(f.Paths) == 0:
		f.unnamed = list
	}
	return f
}

// Current returns the name of the current context, or "". It returns ErrInvalid for a file that
// cannot be read.
func (f Files) Current() (string, error) {
	docs, _ := f.read(nil)
	if err := docs.err(); err != nil {
		return "", err
	}
	return docs.current(), nil
}

// Use makes a context the current one. It returns ErrNotFound where no file has it, and
// otherwise the errors of Merge.
func (f Files) Use(ctx context.Context, context string) error {
	if len(f.Paths) == 0 {
		return f.noPlace()
	}
	return f.edit(ctx, func(docs documents) error {
		if err := docs.err(); err != nil {
			return err
		}
		if docs.find("contexts", context) == nil {
			return fault.Errorf(fault.ErrNotFound, "the kubeconfig has no context %q", context)
		}
		docs.written().setCurrent(context)
		return nil
	})
}

// Namespace returns the namespace of the current context, or "default" where it has none.
// Errors: that of Current, and ErrNotFound where no context is current.
func (f Files) Namespace() (string, error) {
	docs, _ := f.read(nil)
	c, err := docs.currentEntry()
	if err != nil {
		return "", err
	}
	if c.Context.Namespace != "" {
		return c.Context.Namespace, nil
	}
	return "default", nil
}

// SetNamespace sets the namespace of the current context, whatever program added it. Errors:
// those of Namespace, and of Merge.
func (f Files) SetNamespace(ctx context.Context, namespace string) error {
	return f.edit(ctx, func(docs documents) error {
		c, err := docs.currentEntry()
		if err != nil || c.Context.Namespace == namespace {
			return err
		}
		item := c.content()
		fields, ok := item["context"].(map[string]any)
		if !ok {
			fields = map[string]any{}
			item["context"] = fields
		}
		fields["namespace"] = namespace
		return c.doc.put("contexts", item)
	})
}

// documents are the files, in the order of Files.Paths.
type documents []*document

// err returns why files cannot be read.
func (docs documents) err() error {
	var errs []error
	for _, d := range docs {
		errs = append(errs, d.err)
	}
	return join(errs...)
}

// written returns the file for new entries, and for the current context: the first that exists,
// else the last, as in kubectl.
func (docs documents) written() *document {
	for _, d := range docs {
		if !d.missing {
			return d
		}
	}
	return docs[len(docs)-1]
}

// first returns the first value of a document that is not zero: as kubectl, lab uses the entry
// and the current context of the first file that has one.
func first[T comparable](docs documents, get func(*document) T) (value T) {
	for _, d := range docs {
		value = cmp.Or(value, get(d))
	}
	return value
}

func (docs documents) current() string { return first(docs, (*document).current) }

func (docs documents) find(list, name string) *entry {
	return first(docs, func(d *document) *entry { return d.find(list, name) })
}

// currentEntry returns the current context. Errors: ErrNotFound, and those of files that cannot
// be read.
func (docs documents) currentEntry() (*entry, error) {
	if err := docs.err(); err != nil {
		return nil, err
	}
	name := docs.current()
	if c := docs.find("contexts", name); c != nil {
		return c, nil
	}
	err := fault.Errorf(fault.ErrNotFound, "no context is current in the kubeconfig")
	if name != "" {
		err = fault.Errorf(fault.ErrNotFound, "the kubeconfig has no context %q, which is its current one", name)
	}
	return nil, fault.WithHint(err, "make the context of a cluster the current one: lab use NAME; lab list shows the clusters")
}

func (docs documents) entries(list string) []*entry {
	var all []*entry
	for _, d := range docs {
		all = append(all, d.entries(list)...)
	}
	return all
}

// contexts returns the contexts that lab added, or all others.
func (docs documents) contexts(labs bool) []*entry {
	return slices.DeleteFunc(docs.entries("contexts"), func(c *entry) bool { return (c.memory != nil) != labs })
}

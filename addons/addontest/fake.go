package addontest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Fake is an [addons.Installer] and an [addons.Checker] whose clusters are files in a
// directory, so that several processes can share them. The zero value cannot be used; see
// [NewFake].
type Fake struct {
	dir string
	mu  *sync.Mutex
}

// NewFake returns a fake that keeps its clusters in dir.
func NewFake(dir string) Fake { return Fake{dir, &sync.Mutex{}} }

// record is what the fake remembers of an addon.
type record struct {
	addons.Installed
	Digest  string
	Values  addons.Values
	Hooks   []addons.Object
	Foreign bool
}

// List implements [addons.Installer].
func (f Fake) List(ctx context.Context, c addons.Cluster) ([]addons.Installed, error) {
	var list []addons.Installed
	err := f.change(ctx, c, func(m *machine) error {
		for _, name := range slices.Sorted(maps.Keys(m.Releases)) {
			if r := m.Releases[name]; !r.Foreign {
				list = append(list, r.Installed)
			}
		}
		return nil
	})
	return list, err
}

// Define implements [addons.Installer].
func (f Fake) Define(ctx context.Context, c addons.Cluster, r addons.Release) (kept []addons.Kept, err error) {
	read, err := open(r.Chart)
	if err != nil {
		return nil, err
	}
	return kept, f.change(ctx, c, func(m *machine) error {
		for _, d := range read.definitions {
			if reason := m.define(r.Addon.Name, d); reason != "" {
				kept = append(kept, addons.Kept{Object: objectOf(d, ""), Reason: reason})
			}
		}
		return nil
	})
}

// Install implements [addons.Installer].
func (f Fake) Install(ctx context.Context, c addons.Cluster, r addons.Release, moved func(string)) (addons.Installed, error) {
	read, err := open(r.Chart)
	if err != nil {
		return addons.Installed{}, err
	}
	if read.hangs {
		if moved != nil {
			moved("waiting for a hook")
		}
		<-ctx.Done()
		return addons.Installed{}, ctx.Err()
	}
	var in addons.Installed
	var failed error
	err = f.change(ctx, c, func(m *machine) error {
		in, failed = m.install(r, read)
		return nil // a failed release is remembered, too
	})
	return in, cmp.Or(err, failed)
}

func (m *machine) install(r addons.Release, read chart) (addons.Installed, error) {
	was := m.Releases[r.Addon.Name]
	if was.Foreign {
		return addons.Installed{}, fault.Errorf(fault.ErrForeign, "the release %s is not managed by lab", r.Addon.Name)
	}
	if was.same(r) && was.State == addons.StateReady && m.whole(was.Objects) {
		return was.Installed, nil
	}
	next := record{Digest: r.Chart.Digest, Values: r.Values, Installed: addons.Installed{
		Name: r.Addon.Name, Namespace: r.Addon.In(), Version: read.version, App: read.app,
		Revision: was.Revision + 1, State: addons.StateReady,
	}}
	m.prepare(r.Addon)
	for _, o := range was.Objects {
		if o.Kind != "CustomResourceDefinition" { // which may have objects
			delete(m.Objects, key(o))
		}
	}
	for _, doc := range read.hooks {
		o := objectOf(doc, r.Addon.In())
		m.put(o, r.Addon.Name, doc)
		next.Hooks = append(next.Hooks, o)
	}
	for _, doc := range read.templates {
		o := objectOf(doc, r.Addon.In())
		if strings.Contains(o.Name, "_") {
			next.State, next.Reason = addons.StateFailed, fmt.Sprintf("%s is invalid: its name has a '_'", o)
			break
		}
		m.put(o, r.Addon.Name, doc)
		next.Objects = append(next.Objects, o)
	}
	m.Releases[r.Addon.Name] = next
	if next.Reason != "" {
		return next.Installed, errors.New(next.Reason)
	}
	return next.Installed, nil
}

// Check implements [addons.Installer].
func (f Fake) Check(r addons.Release, _ string) error {
	_, err := open(r.Chart)
	return err
}

// Stale implements [addons.Installer].
func (f Fake) Stale(ctx context.Context, c addons.Cluster, r addons.Release) (string, error) {
	reason := ""
	err := f.change(ctx, c, func(m *machine) error {
		was := m.Releases[r.Addon.Name]
		switch {
		case was.Foreign:
			return fault.Errorf(fault.ErrForeign, "the release %s is not managed by lab", r.Addon.Name)
		case !was.same(r):
			reason = "its chart or its values have changed"
		case was.State != addons.StateReady:
			reason = "its last installation did not finish"
		case !m.whole(was.Objects):
			reason = "an object is missing"
		}
		return nil
	})
	return reason, err
}

func (r record) same(next addons.Release) bool {
	return r.Digest == next.Chart.Digest && reflect.DeepEqual(normal(r.Values), normal(next.Values))
}

// Preview implements [addons.Installer].
func (f Fake) Preview(ctx context.Context, c addons.Cluster, r addons.Release) ([]addons.Change, error) {
	read, err := open(r.Chart)
	if err != nil {
		return nil, err
	}
	var list []addons.Change
	err = f.change(ctx, c, func(m *machine) error {
		old := map[string]bool{}
		for _, o := range m.Releases[r.Addon.Name].Objects {
			old[key(o)] = true
		}
		for _, doc := range read.templates {
			o := objectOf(doc, r.Addon.In())
			if !old[key(o)] {
				list = append(list, addons.Change{Verb: "add", Object: o})
			} else if m.Objects[key(o)].Text != text(doc) {
				list = append(list, addons.Change{Verb: "change", Object: o})
			}
			delete(old, key(o))
		}
		for _, o := range m.Releases[r.Addon.Name].Objects {
			if old[key(o)] {
				list = append(list, addons.Change{Verb: "remove", Object: o})
			}
		}
		return nil
	})
	return list, err
}

// Remove implements [addons.Installer].
func (f Fake) Remove(ctx context.Context, c addons.Cluster, a addons.Addon, _ func(string)) ([]addons.Kept, error) {
	var kept []addons.Kept
	err := f.change(ctx, c, func(m *machine) error {
		r, ok := m.Releases[a.Name]
		switch {
		case !ok:
			return fault.Errorf(fault.ErrNotFound, "the cluster has no addon %q", a.Name)
		case r.Foreign:
			return fault.Errorf(fault.ErrForeign, "the release %s is not managed by lab", a.Name)
		}
		kept = m.remove(r, a)
		return nil
	})
	return kept, err
}

// Clear forgets all clusters.
func (f Fake) Clear() error { return os.RemoveAll(filepath.Join(f.dir, "clusters")) }

package providertest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Machine is the directory that stands for the machine of a fake. Fakes that are
// given the same one, in whatever process, see the same clusters:
//
//	faults.json                    what is to go wrong: see Faults
//	engines.json                   the engines: see Engines
//	clusters/NAME/cluster.json     one cluster
//	clusters/NAME/broken           there if the cluster is degraded; why, in a line
//	clusters/NAME/parts/KIND/PART  what it is made of; a test may remove one
//	clusters/NAME/images/, logs/   what was loaded, what can be exported
//	images/NAME                    an image of the machine's own, its name escaped as in a URL
//
// A test in another process, such as a script, may write faults.json and broken, and remove
// parts: nodes, which nothing brings back, and a network, which Start does.
type Machine string

// record is one cluster as cluster.json holds it.
type record struct {
	Spec  providers.Spec  `json:"spec"`
	State providers.State `json:"state"`
	CA    []byte          `json:"ca,omitempty"` // PEM; nil while the cluster is being made

	Unread bool   `json:"unread,omitempty"` // its mark cannot be read
	Host   string `json:"host,omitempty"`   // of the engine that it is on

	bare bool // there is a directory only
}

// Break makes the running cluster degraded, as if its engine was killed.
func (m Machine) Break(name string) error {
	if _, err := m.load(name); err != nil {
		return err
	}
	return os.WriteFile(m.path(name, "broken"), []byte("its engine is gone\n"), 0o600)
}

// AddImage gives the machine an image that its clusters can load.
func (m Machine) AddImage(name string) error {
	path := m.image(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(name+"\n"), 0o600)
}

func (m Machine) image(name string) string {
	return filepath.Join(string(m), "images", url.PathEscape(name))
}

// HalfMade leaves what a crash in the middle of the Create of spec leaves.
func (m Machine) HalfMade(spec providers.Spec) error {
	return m.claim(record{Spec: spec, State: providers.StateCreating})
}

// LoseID removes what the ID of the cluster is read from, as when its first node is removed.
// The cluster still bears its mark.
func (m Machine) LoseID(name string) error {
	return m.change(name, func(r *record) { r.CA = nil })
}

// LoseMark makes the mark of the cluster unreadable.
func (m Machine) LoseMark(name string) error {
	return m.change(name, func(r *record) { r.Unread = true })
}

func (m Machine) change(name string, f func(*record)) error {
	r, err := m.load(name)
	if err != nil {
		return err
	}
	f(&r)
	return m.save(r)
}

// Remake replaces the cluster by another of the same name, as when another program deletes and
// recreates it with the tool itself.
func (m Machine) Remake(name string) error {
	r, err := m.load(name)
	if err != nil {
		return err
	}
	if r.CA, err = newCA(name); err != nil {
		return err
	}
	r.Spec.Mark = "" // which only lab sets
	return m.save(r)
}

// Leaks returns every path of the machine that contains the name.
func (m Machine) Leaks(name string) []string {
	var found []string
	// An unreadable directory is a leak too: it is reported by its path.
	_ = filepath.WalkDir(string(m), func(path string, d fs.DirEntry, err error) error {
		if rel, _ := filepath.Rel(string(m), path); strings.Contains(rel, name) {
			found = append(found, path)
		}
		return nil
	})
	return found
}

// Probe stands for a request to the API server of a kubeconfig: it returns nil if the cluster
// runs and is ready, and ErrNotFound if it does not exist.
func (m Machine) Probe(_ context.Context, kubeconfig []byte) error {
	k, err := parseKubeconfig(kubeconfig)
	if err != nil {
		return err
	}
	faults, err := m.faults()
	if err != nil {
		return err
	}
	clusters, err := m.list()
	if err != nil {
		return err
	}
	for _, r := range clusters {
		if !bytes.Equal(r.CA, k.authority()) {
			continue
		}
		if state, _ := m.state(r); faults.NotReady || state != providers.StateRunning {
			return fmt.Errorf("the API server of cluster %q does not answer", r.Spec.Name)
		}
		return nil
	}
	return fault.Errorf(fault.ErrNotFound, "the machine has no cluster with this certificate authority")
}

func (m Machine) path(name string, elem ...string) string {
	return filepath.Join(append([]string{string(m), "clusters", name}, elem...)...)
}

// claim takes the name for r; one of several concurrent processes succeeds.
func (m Machine) claim(r record) error {
	if err := os.MkdirAll(filepath.Join(string(m), "clusters"), 0o700); err != nil {
		return err
	}
	err := os.Mkdir(m.path(r.Spec.Name), 0o700)
	if errors.Is(err, fs.ErrExist) {
		return fault.Errorf(fault.ErrExists, "cluster %q already exists", r.Spec.Name)
	}
	if err != nil {
		return err
	}
	logs := m.path(r.Spec.Name, "logs")
	return errors.Join(
		os.Mkdir(logs, 0o700),
		os.WriteFile(filepath.Join(logs, "node.log"), []byte("node started\n"), 0o600),
		m.save(r),
	)
}

// save replaces the record atomically, because other processes may read it.
func (m Machine) save(r record) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	path := m.path(r.Spec.Name, "cluster.json")
	return atomicfile.Write(path, b, 0o600)
}

// load returns ErrNotFound if the cluster does not exist. One without a record is being
// created.
func (m Machine) load(name string) (record, error) {
	b, err := os.ReadFile(m.path(name, "cluster.json"))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(m.path(name)); err != nil {
			return record{}, fault.Errorf(fault.ErrNotFound, "cluster %q does not exist", name)
		}
		return record{Spec: providers.Spec{Name: name}, State: providers.StateCreating, bare: true}, nil
	}
	if err != nil {
		return record{}, err
	}
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return record{}, fmt.Errorf("cluster %q: %w", name, err)
	}
	return r, nil
}

// remove removes the cluster with all that belongs to it.
func (m Machine) remove(name string) error { return os.RemoveAll(m.path(name)) }

// list returns the clusters, incomplete ones included.
func (m Machine) list() ([]record, error) {
	entries, err := os.ReadDir(filepath.Join(string(m), "clusters"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var all []record
	for _, e := range entries {
		r, err := m.load(e.Name())
		if errors.Is(err, fault.ErrNotFound) {
			continue // deleted since ReadDir
		}
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, err
}

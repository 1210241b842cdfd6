// Package state stores one directory per cluster that lab created, with a record and the lock that
// serializes work on the cluster.
//
//	DIR/clusters/NAME/cluster.json   the record (0600)
//	DIR/clusters/NAME/kubeconfig     the kubeconfig of the cluster alone, for kubectl (0600)
//	DIR/clusters/NAME/lock           held by the lab process that works on NAME
//	DIR/clusters/NAME/used           held by the `lab run` that created the cluster
//	DIR/clusters/NAME/watched        held by the process that removes the cluster when it expires
//
// The directory of a cluster is removed when its record is deleted and its lock released, and DIR
// is removed with the last cluster if it has no other files.
package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/records"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// ErrUnreadable is the kind of error of a state directory that cannot be read, so that the existing
// clusters are unknown. Such an error is a [fault.ErrUnavailable], too.
var ErrUnreadable = errors.New("unreadable state directory")

const (
	recordFile = "cluster.json"
	lockFile   = "lock"
	usedFile   = "used"
	watchFile  = "watched"
)

// Store is a state directory. It is safe for concurrent use, also by other processes, as long as
// callers hold the lock of a name while they write or delete its record.
type Store struct {
	// Patience is how long Lock waits for another lab process.
	Patience time.Duration

	dir string
}

// Open returns the store in dir. The first write creates dir.
func Open(dir string) *Store {
	return &Store{Patience: 10 * time.Second, dir: dir}
}

// Get returns the record of the cluster name. Errors: ErrNotFound; ErrInvalid for an invalid name,
// and for a record that is damaged or that a newer lab wrote; ErrUnavailable if the directory cannot
// be read.
func (s *Store) Get(name string) (Record, error) {
	if err := providers.ValidateName(name); err != nil {
		return Record{}, err
	}
	path := s.path(name, recordFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, fault.Errorf(fault.ErrNotFound, "lab has no cluster %q", name)
	}
	if err != nil { // for example a file of root
		return Record{}, &RecordError{name, s.unavailable("read", err)}
	}
	r, err := decode(name, data)
	if err != nil {
		return Record{}, &RecordError{name, badRecord(path, err)}
	}
	return r, nil
}

// Put replaces the record of the same name with r. After an error the old record is still there. Put
// does not replace a record that Get cannot read, and returns the error of Get. It returns
// ErrUnavailable if the directory cannot be written.
func (s *Store) Put(r Record) error {
	if _, err := s.Get(r.Name); err != nil && !errors.Is(err, fault.ErrNotFound) {
		return err
	}
	if err := r.check(r.Name); err != nil {
		return fmt.Errorf("cannot write the record of cluster %q: %w", r.Name, err)
	}
	data, err := encode(r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.path(r.Name), 0o700); err != nil {
		return s.unavailable("write", err)
	}
	if err := atomicfile.Write(s.path(r.Name, recordFile), data, 0o600); err != nil {
		return s.unavailable("write", err)
	}
	return nil
}

// Delete removes the record of the cluster name and all other files in its directory. The lock file is
// removed when the lock is released. Delete returns no error if there is no record.
func (s *Store) Delete(name string) error {
	if err := providers.ValidateName(name); err != nil {
		return err
	}
	entries, err := os.ReadDir(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return s.unavailable("read", err)
	}
	for _, e := range entries {
		switch e.Name() {
		case lockFile:
			continue
		case usedFile, watchFile:
			_ = os.Remove(s.path(name, e.Name())) // if that fails, the holder removes it
			continue
		}
		if err := os.RemoveAll(s.path(name, e.Name())); err != nil {
			return s.unavailable("write", err)
		}
	}
	s.prune(name) // if there is a lock file, unlock does it
	return nil
}

// prune removes the directory of the cluster name and the store's directories above it, as far as they
// are empty.
func (s *Store) prune(name string) {
	atomicfile.RemoveEmpty(s.path(name), s.path(), s.dir)
}

// Dir returns the directory of the cluster name.
func (s *Store) Dir(name string) string { return s.path(name) }

// Cache returns a directory for caches of other programs about the cluster name. It need not exist. It
// is removed with the record.
func (s *Store) Cache(name string) string { return s.path(name, "cache") }

// Scratch returns a directory for `lab run` while it uses the cluster name. It need not exist. It is
// removed with the record.
func (s *Store) Scratch(name string) string { return s.path(name, "run") }

// Kubeconfig returns the path of a file with the cluster's own kubeconfig, for programs that take a
// file. The file is removed with the record, even if the program or lab is killed. Errors are those
// of Put.
func (s *Store) Kubeconfig(name string, config []byte) (path string, err error) {
	path = s.path(name, "kubeconfig")
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, config) {
		return path, nil
	}
	// Without a record there is no directory, and nothing would remove the file.
	if err := atomicfile.Write(path, config, 0o600); err != nil {
		return "", s.unavailable("write", err)
	}
	return path, nil
}

// List returns the records of all clusters, sorted by name. problems joins the errors of records that
// cannot be read. It is ErrUnreadable if the directory itself cannot be read.
func (s *Store) List() (all []Record, problems error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	return records.Read(names, s.Get)
}

// Abandoned returns the names that have a directory and no record, and that no process holds: the
// process that created them was killed.
func (s *Store) Abandoned() []string {
	names, _ := s.names() // List returns the error
	return slices.DeleteFunc(names, func(name string) bool {
		_, err := os.Lstat(s.path(name, recordFile))
		return !errors.Is(err, fs.ErrNotExist) || s.Busy(name) || s.Used(name)
	})
}

func (s *Store) names() ([]string, error) {
	names, err := records.Names(s.path(), providers.ValidateName)
	if err != nil {
		return nil, fault.Errorf(ErrUnreadable, "%w", s.unavailable("read", err))
	}
	return names, nil
}

func (s *Store) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir, "clusters"}, parts...)...)
}

func (s *Store) unavailable(verb string, err error) error {
	return atomicfile.Unavailable(err, verb, "lab's state", s.dir)
}

// RecordError is the error of a record that exists and cannot be used. The state of the cluster Name
// is unknown.
type RecordError struct {
	Name string

	err error
}

func (e *RecordError) Error() string { return e.err.Error() }

// Unwrap returns the error with its kind and its hint.
func (e *RecordError) Unwrap() error { return e.err }

func badRecord(path string, err error) error {
	wrapped := fault.Errorf(fault.ErrInvalid, "cannot use the record %s: %w", path, err)
	if errors.Is(err, errNewer) {
		return fault.WithHint(wrapped, "upgrade lab to the version that created the cluster")
	}
	return fault.WithHint(wrapped, "lab list --all shows whether the cluster still exists; to remove the record: rm -r %s", fault.ShellWord(filepath.Dir(path)))
}

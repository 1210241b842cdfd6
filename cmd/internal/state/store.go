// Package state keeps what lab remembers of each cluster that it made: one
// directory a cluster, with a record and the lock that serializes work on it.
//
//	DIR/clusters/NAME/cluster.json   the record (0600)
//	DIR/clusters/NAME/kubeconfig     of the cluster alone, for kubectl (0600)
//	DIR/clusters/NAME/lock           held by the lab that works on NAME
//	DIR/clusters/NAME/used           held by the `lab run` whose cluster it is
//	DIR/clusters/NAME/watched        held by the process that waits for its time to be over
//
// Nothing of a cluster stays there once it is deleted and unlocked, and with the last one
// DIR itself goes, if nothing else is in it.
package state

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// ErrUnreadable is the kind of a state directory that cannot be read: it is unknown which
// clusters exist. It is an [fault.ErrUnavailable], too.
var ErrUnreadable = errors.New("unreadable state directory")

const (
	recordFile = "cluster.json"
	lockFile   = "lock"
	usedFile   = "used"
	watchFile  = "watched"
)

// Store is a state directory. It is safe for concurrent use, by other processes
// too, as long as who writes or deletes the record of a name holds its lock.
type Store struct {
	// Patience is how long Lock waits for another lab.
	Patience time.Duration

	dir string
}

// Open returns the store in dir, which is made when something is written to it.
func Open(dir string) *Store {
	return &Store{Patience: 10 * time.Second, dir: dir}
}

// Get returns the record of the cluster name. Errors: ErrNotFound; ErrInvalid
// where the name is no name, or the record is damaged or written by a newer lab,
// with the hint how to go on; ErrUnavailable where the directory cannot be read.
func (s *Store) Get(name string) (Record, error) {
	if err := providers.ValidateName(name); err != nil {
		return Record{}, err
	}
	path := s.path(name, recordFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, fault.Errorf(fault.ErrNotFound, "lab made no cluster %q", name)
	}
	if err != nil {
		return Record{}, s.unavailable("read", err)
	}
	r, err := decode(name, data)
	if err != nil {
		return Record{}, &RecordError{name, badRecord(path, err)}
	}
	return r, nil
}

// Put writes r in place of the record of the same name, all of it or, on error,
// nothing. A record that Get cannot read is not overwritten: Put returns Get's
// error. Where the directory cannot be written it returns ErrUnavailable.
func (s *Store) Put(r Record) error {
	if _, err := s.Get(r.Name); err != nil && !errors.Is(err, fault.ErrNotFound) {
		return err
	}
	if err := r.check(r.Name); err != nil {
		return fmt.Errorf("the record of cluster %q cannot be written: %w", r.Name, err)
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

// Delete forgets the cluster name, and removes whatever else is in its directory.
// The lock file, where there is one, goes when the lock is released. Deleting what
// is not there is no error.
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
			_ = os.Remove(s.path(name, e.Name())) // where that fails, its holder does it
			continue
		}
		if err := os.RemoveAll(s.path(name, e.Name())); err != nil {
			return s.unavailable("write", err)
		}
	}
	s.prune(name) // in vain while the lock file is there, and then the holder's unlock does it
	return nil
}

// prune removes the directory of the cluster name and those above it that are lab's, as
// far as they are empty.
func (s *Store) prune(name string) {
	for _, dir := range []string{s.path(name), s.path(), s.dir} {
		// Somebody may have put a link in its place, to a larger disk, and that is theirs.
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() || os.Remove(dir) != nil {
			return
		}
	}
}

// Dir returns the directory of the cluster name, with all that lab remembers of it.
func (s *Store) Dir(name string) string { return s.path(name) }

// Cache returns a directory in which other programs may keep what they know of the
// cluster name. It need not exist, and goes with the record.
func (s *Store) Cache(name string) string { return s.path(name, "cache") }

// Scratch returns a directory for what `lab run` needs while it uses the cluster name.
// It need not exist, and goes with the record, whoever removes that.
func (s *Store) Scratch(name string) string { return s.path(name, "run") }

// Kubeconfig returns a file with the cluster's own kubeconfig, for a program that takes a
// file. It is deleted with the record, even if the program or lab is killed. Errors are
// those of Put.
func (s *Store) Kubeconfig(name string, config []byte) (path string, err error) {
	path = s.path(name, "kubeconfig")
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, config) {
		return path, nil
	}
	// The directory is that of the record: without one, nothing would remove the file.
	if err := atomicfile.Write(path, config, 0o600); err != nil {
		return "", s.unavailable("write", err)
	}
	return path, nil
}

// List returns the records of all clusters, by name. A record that cannot be read
// does not hide the others: problems joins the errors of all such records, and is
// nil if no cluster is recorded. Where the directory itself cannot be read, it is ErrUnreadable.
func (s *Store) List() (records []Record, problems error) {
	names, err := s.names()
	if err != nil {
		return nil, err
	}
	var bad []error
	for _, name := range names {
		r, err := s.Get(name)
		switch {
		case err == nil:
			records = append(records, r)
		case !errors.Is(err, fault.ErrNotFound): // which has a lock, but no record yet
			bad = append(bad, err)
		}
	}
	return records, errors.Join(bad...)
}

// Abandoned returns the names that have a directory and no record, and that no process
// holds: whoever made them was killed before there was more.
func (s *Store) Abandoned() []string {
	names, _ := s.names() // List tells why, if need be
	return slices.DeleteFunc(names, func(name string) bool {
		_, err := os.Lstat(s.path(name, recordFile))
		return !errors.Is(err, fs.ErrNotExist) || s.Busy(name) || s.Used(name)
	})
}

func (s *Store) names() ([]string, error) {
	entries, err := os.ReadDir(s.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fault.Errorf(ErrUnreadable, "%w", s.unavailable("read", err))
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && providers.ValidateName(e.Name()) == nil { // else it is not lab's
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (s *Store) path(parts ...string) string {
	return filepath.Join(append([]string{s.dir, "clusters"}, parts...)...)
}

func (s *Store) unavailable(verb string, err error) error {
	for _, disk := range []error{syscall.ENOSPC, syscall.EROFS} {
		if errors.Is(err, disk) {
			err = disk // in which file it showed, the name of a temporary one, says nothing
		}
	}
	home, _ := os.UserHomeDir()
	fix := atomicfile.Fix(err, s.dir, home)
	err = fault.Errorf(fault.ErrUnavailable, "cannot %s lab's state in %s: %w", verb, s.dir, err)
	if fix != "" {
		return fault.WithHint(err, "%s; or use another directory: export LAB_HOME=DIR", fix)
	}
	return fault.WithHint(err, "make %s a directory that you may write to, with space on its disk, or name another: export LAB_HOME=DIR", s.dir)
}

// RecordError is the error of a record that exists and cannot be used: nobody knows what
// became of the cluster Name.
type RecordError struct {
	Name string

	err error
}

func (e *RecordError) Error() string { return e.err.Error() }

// Unwrap returns the error with its kind and its hint.
func (e *RecordError) Unwrap() error { return e.err }

func badRecord(path string, err error) error {
	wrapped := fault.Errorf(fault.ErrInvalid, "the record %s cannot be used: %w", path, err)
	if errors.Is(err, errNewer) {
		return fault.WithHint(wrapped, "upgrade lab to the version that made the cluster")
	}
	return fault.WithHint(wrapped, "lab list --all shows whether the cluster still exists; to make lab forget it: rm -r %s", fault.ShellWord(filepath.Dir(path)))
}

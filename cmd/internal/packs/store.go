// Package packs keeps the exercise packs that a person added, and writes new ones.
//
//	DIR/NAME/record.json   where the pack came from, and the digest of its files (0600)
//	DIR/NAME/pack/         the files
//	DIR/.draft-RANDOM/     a pack that is being added; renamed when it is complete
//	DIR/.removed-RANDOM/   a pack that is being removed
//	DIR/NAME.kept-RANDOM/  a pack with changed files that was removed; lab does not touch it again
//
// So a pack with a name is always complete and was valid when it was added.
package packs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/records"
	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	recordFile    = "record.json"
	filesDir      = "pack"
	draftPrefix   = ".draft-"
	removedPrefix = ".removed-"
	keptInfix     = ".kept-"
	apiVersion    = "lab/v1alpha1"
)

// leftoverAge is the age at which a draft is a leftover of a killed process. No pack takes that long to add.
const leftoverAge = time.Hour

// Store is a directory of packs. It is safe for concurrent use, also by other processes.
type Store struct {
	Dir     string
	Builtin string // the name of the pack that is part of lab, which no other pack may have
	Now     func() time.Time

	// Fetch returns the gzipped tar that an OCI artifact consists of, at most limit bytes, and the digest of the
	// artifact's manifest. reference is oci://HOST/PATH:TAG or oci://HOST/PATH@DIGEST.
	Fetch func(ctx context.Context, reference string, limit int64) (archive []byte, digest string, err error)
}

// Record says where a pack came from.
type Record struct {
	APIVersion string    `json:"apiVersion"`
	Source     string    `json:"source"`             // a path or URL without credentials
	Revision   string    `json:"revision,omitempty"` // the commit, or the digest of the archive or artifact
	Digest     string    `json:"digest"`             // of the files, sha256:HEX
	AddedAt    time.Time `json:"addedAt"`
}

// Installed is a pack of the store.
type Installed struct {
	Record
	Pack *exercises.Pack
}

// Open returns a pack by the name under which it was added, or by the path of its directory. "" is the builtin one.
// Errors: those of [exercises.Load] and [Store.Get]; ErrNotFound and ErrUnavailable for a directory that cannot be read.
func (s *Store) Open(ref string) (*exercises.Pack, error) {
	if ref == "" || ref == s.Builtin {
		return exercises.Builtin()
	}
	if !strings.ContainsAny(ref, `/\`) && ref != "." {
		p, err := s.Get(ref)
		return p.Pack, err
	}
	root, err := os.OpenRoot(ref) // links that lead outside are errors
	if err != nil {
		kind := fault.ErrUnavailable
		if errors.Is(err, fs.ErrNotExist) {
			kind = fault.ErrNotFound
		}
		err = fault.Errorf(kind, "cannot read the pack: %w", err)
		return nil, fault.WithHint(err, "check that %s is a directory that you can read", fault.ShellWord(ref))
	}
	defer func() { _ = root.Close() }()
	return exercises.Load(root.FS(), filepath.ToSlash(filepath.Clean(ref)))
}

// Get returns a pack. Errors: ErrInvalid for an invalid name, and for a pack that this version of lab cannot read;
// ErrNotFound; ErrForeign if a file was changed since the pack was added; ErrUnavailable if the store cannot be read.
func (s *Store) Get(name string) (Installed, error) {
	if err := checkName(name); err != nil {
		return Installed{}, err
	}
	data, err := os.ReadFile(filepath.Join(s.Dir, name, recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Installed{}, s.missing(name)
	}
	if err != nil {
		return Installed{}, s.unavailable("read", err)
	}
	unusable := func(kind error, format string, args ...any) error {
		return fault.WithHint(fault.Errorf(kind, "cannot use the pack %q: "+format, append([]any{name}, args...)...),
			"remove it, and add it again: lab pack remove %s", name)
	}
	p := Installed{}
	if err := json.Unmarshal(data, &p.Record); err != nil {
		return Installed{}, unusable(fault.ErrInvalid, "%s is damaged: %w", recordFile, err)
	}
	if p.APIVersion != apiVersion {
		return Installed{}, unusable(fault.ErrInvalid, "another version of lab added it")
	}
	dir := filepath.Join(s.Dir, name, filesDir)
	var digest string
	if p.Pack, digest, err = load(dir, dir); err != nil {
		return Installed{}, unusable(fault.ErrInvalid, "%w", err)
	}
	if digest != p.Digest {
		return Installed{}, unusable(fault.ErrForeign, "files in %s were changed since it was added", dir)
	}
	return p, nil
}

// load reads the pack in a directory, and computes the digest of its files. shown is the name of the directory in errors.
func load(dir, shown string) (*exercises.Pack, string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = root.Close() }()
	digest, err := digestOf(root.FS())
	if err != nil {
		return nil, "", err
	}
	pack, err := exercises.Load(root.FS(), filepath.ToSlash(shown))
	return pack, digest, err
}

func (s *Store) missing(name string) error {
	err := fault.Errorf(fault.ErrNotFound, "there is no pack %q", name)
	names, _ := s.Names()
	if near := fault.Nearest(name, append(names, s.Builtin)); near != "" {
		return fault.WithHint(err, "did you mean %s?", near)
	}
	return fault.WithHint(err, "list the packs: lab pack list; or name a directory: ./%s", name)
}

// List returns all packs, sorted by name. problems joins the errors of those that cannot be used.
func (s *Store) List() (all []Installed, problems error) {
	names, err := s.Names()
	if err != nil {
		return nil, err
	}
	return records.Read(names, s.Get)
}

// Names returns the names of all packs, sorted. It returns ErrUnavailable if the store cannot be read.
func (s *Store) Names() ([]string, error) {
	names, err := records.Names(s.Dir, checkName)
	if err != nil {
		return nil, s.unavailable("read", err)
	}
	return names, nil
}

// checkName returns ErrInvalid for a name that no pack can have.
func checkName(name string) error {
	if problem := exercises.Name(name).Problem(); problem != "" {
		return fault.Errorf(fault.ErrInvalid, "%s", problem)
	}
	return nil
}

// Remove removes a pack, even one that cannot be used. Progress in its exercises stays. If files of the pack were added,
// changed or removed, Remove deletes nothing: it moves the directory, and returns its new path as kept. Errors: ErrInvalid for
// an invalid name and for the builtin pack, ErrNotFound, ErrForeign for a directory that lab did not create, ErrUnavailable.
func (s *Store) Remove(name string) (kept string, err error) {
	if err := checkName(name); err != nil {
		return "", err
	}
	if name == s.Builtin {
		return "", fault.WithHint(fault.Errorf(fault.ErrInvalid, "the pack %q is part of lab", name), "list the packs that you can remove: lab pack list")
	}
	path := filepath.Join(s.Dir, name)
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return "", s.missing(name)
	}
	if _, err := os.Lstat(filepath.Join(path, recordFile)); errors.Is(err, fs.ErrNotExist) {
		err := fault.Errorf(fault.ErrForeign, "%s is not a pack that lab added: it has no %s", path, recordFile)
		return "", fault.WithHint(err, "move the directory to another place, or delete it yourself")
	}
	if !intact(path) {
		return s.keep(path, name)
	}
	return "", s.remove(path, name)
}

// intact reports whether a directory contains a pack as it was added, and nothing else.
func intact(path string) bool {
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) != 2 { // the record and the files
		return false
	}
	data, err := os.ReadFile(filepath.Join(path, recordFile))
	if err != nil {
		return false
	}
	var r Record
	if json.Unmarshal(data, &r) != nil {
		return false
	}
	root, err := os.OpenRoot(filepath.Join(path, filesDir))
	if err != nil {
		return false
	}
	defer func() { _ = root.Close() }()
	digest, err := digestOf(root.FS())
	return err == nil && digest == r.Digest
}

// keep moves the directory of a pack to a name that no pack has, and returns its path.
func (s *Store) keep(path, name string) (string, error) {
	dir, err := os.MkdirTemp(s.Dir, name+keptInfix)
	if err != nil {
		return "", s.unavailable("write", err)
	}
	to := filepath.Join(dir, name)
	if err := os.Rename(path, to); err != nil {
		return "", s.unavailable("write", errors.Join(err, os.Remove(dir)))
	}
	return to, nil
}

// remove deletes the directory of a pack.
func (s *Store) remove(path, name string) error {
	// Half of a pack must not look complete.
	moved, err := os.MkdirTemp(s.Dir, removedPrefix)
	if err != nil {
		return s.unavailable("write", err)
	}
	if err := os.Rename(path, filepath.Join(moved, name)); err != nil {
		return s.unavailable("write", errors.Join(err, os.Remove(moved)))
	}
	if err := os.RemoveAll(moved); err != nil {
		return s.unavailable("write", err)
	}
	s.sweep()
	_ = os.Remove(s.Dir) // if it is empty
	return nil
}

// sweep removes leftovers of killed processes.
func (s *Store) sweep() {
	entries, _ := os.ReadDir(s.Dir)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), draftPrefix) && !strings.HasPrefix(e.Name(), removedPrefix) {
			continue
		}
		if info, err := e.Info(); err == nil && s.Now().Sub(info.ModTime()) > leftoverAge {
			_ = os.RemoveAll(filepath.Join(s.Dir, e.Name()))
		}
	}
}

func (s *Store) unavailable(verb string, err error) error {
	return atomicfile.Unavailable(err, verb, "the packs", s.Dir)
}

// exists returns ErrExists for a pack that is in the store or part of lab.
func (s *Store) exists(name string) error {
	err := fault.Errorf(fault.ErrExists, "there is a pack %q already", name)
	if name == s.Builtin {
		return fault.WithHint(err, "it is part of lab; change the name in pack.yaml")
	}
	return fault.WithHint(err, "remove it first: lab pack remove %s; the progress in its exercises stays", name)
}

// String returns where the pack came from, in one line.
func (r Record) String() string {
	if r.Revision == "" {
		return r.Source
	}
	return fmt.Sprintf("%s (%s)", r.Source, short(r.Revision))
}

// short returns the beginning of a commit or digest.
func short(revision string) string {
	revision = strings.TrimPrefix(revision, "sha256:")
	return revision[:min(len(revision), 12)]
}

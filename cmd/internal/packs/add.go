package packs

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Source says where a pack is.
type Source struct {
	Ref      string // a directory, an archive, the URL of a git repository, or oci://HOST/PATH:TAG
	Revision string // a commit, branch or tag of a git repository; "" is its default branch
	Path     string // the directory of the pack in the repository or archive; "" finds it
}

// fetcher writes the files of a source to a draft. It returns the revision, and the name of the source in errors.
type fetcher func(ctx context.Context, src Source, d *draft) (revision, shown string, err error)

// Add reads a pack, checks it, and stores it. After an error nothing is stored. Errors: those of [exercises.Load] with
// file and line; ErrInvalid for a source that lab cannot read as a pack; ErrExists for a name that another pack has;
// ErrNotFound; ErrUnavailable for git, a registry or a disk that does not work.
func (s *Store) Add(ctx context.Context, src Source) (Installed, error) {
	fetch, err := s.fetcherOf(src)
	if err != nil {
		return Installed{}, err
	}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return Installed{}, s.unavailable("write", err)
	}
	s.sweep()
	dir, err := os.MkdirTemp(s.Dir, draftPrefix)
	if err != nil {
		return Installed{}, s.unavailable("write", err)
	}
	defer func() {
		_ = os.RemoveAll(dir)
		_ = os.Remove(s.Dir) // if it is empty
	}()
	p, err := s.fill(ctx, dir, src, fetch)
	if err != nil {
		return Installed{}, err
	}
	return p, s.publish(dir, p.Pack.Name)
}

// fill fetches a pack into the directory of a draft.
func (s *Store) fill(ctx context.Context, dir string, src Source, fetch fetcher) (Installed, error) {
	all := filepath.Join(dir, "all")
	if err := os.Mkdir(all, 0o700); err != nil {
		return Installed{}, s.unavailable("write", err)
	}
	root, err := os.OpenRoot(all)
	if err != nil {
		return Installed{}, s.unavailable("write", err)
	}
	defer func() { _ = root.Close() }()
	revision, shown, err := fetch(ctx, src, &draft{root: root})
	if err != nil {
		return Installed{}, explain(src, err)
	}
	chosen, err := findPack(all, src.Path)
	if err != nil {
		return Installed{}, explain(src, err)
	}
	p := Installed{Record: Record{APIVersion: apiVersion, Source: shownSource(src.Ref), Revision: revision, AddedAt: s.Now().UTC()}}
	if p.Pack, p.Digest, err = load(chosen, shown); err != nil {
		return Installed{}, err
	}
	if err := os.Rename(chosen, filepath.Join(dir, filesDir)); err != nil {
		return Installed{}, s.unavailable("write", err)
	}
	record, err := json.MarshalIndent(p.Record, "", "  ")
	if err != nil {
		return Installed{}, err
	}
	if err := errors.Join(os.RemoveAll(all), atomicfile.Write(filepath.Join(dir, recordFile), append(record, '\n'), 0o600)); err != nil {
		return Installed{}, s.unavailable("write", err)
	}
	return p, nil
}

// shownSource returns a source as it is recorded: without credentials, and paths from the root.
func shownSource(ref string) string {
	if _, err := os.Stat(ref); err == nil {
		if absolute, err := filepath.Abs(ref); err == nil {
			return absolute
		}
	}
	return fault.Redact(ref)
}

// publish gives a complete draft its name.
func (s *Store) publish(dir, name string) error {
	if name == s.Builtin {
		return s.exists(name)
	}
	path := filepath.Join(s.Dir, name)
	if _, err := os.Lstat(path); err == nil {
		return s.exists(name)
	}
	err := os.Rename(dir, path)
	if errors.Is(err, fs.ErrExist) { // another process added it
		return s.exists(name)
	}
	if err != nil {
		return s.unavailable("write", err)
	}
	return nil
}

// explain names the source in an error.
func explain(src Source, err error) error {
	what := fault.Errorf(err, "cannot add the pack %s: %w", fault.Redact(src.Ref), err)
	if hint := fault.HintOf(err); hint != "" {
		return fault.WithHint(what, "%s", hint)
	}
	return what
}

// fetcherOf returns the function that reads a kind of source.
func (s *Store) fetcherOf(src Source) (fetcher, error) {
	switch {
	case strings.HasPrefix(src.Ref, "oci://"):
		return s.fetchArtifact, rejectRevision(src)
	case isRepository(src.Ref) || src.Revision != "":
		return fetchRepository, rejectPassword(src.Ref)
	case strings.Contains(src.Ref, "://"):
		err := fault.Errorf(fault.ErrInvalid, "%q is not a git repository or an OCI artifact", fault.Redact(src.Ref))
		return nil, fault.WithHint(err, "for git, write git+URL or a URL that ends with .git; for an archive, download it first: curl -LO URL")
	}
	info, err := os.Stat(src.Ref)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err := fault.Errorf(fault.ErrNotFound, "there is no directory or archive %q", src.Ref)
		return nil, fault.WithHint(err, "check the path; sources are described in: lab pack add --help")
	case err != nil:
		return nil, fault.Errorf(fault.ErrUnavailable, "cannot read the pack: %w", err)
	case info.IsDir():
		return fetchDirectory, nil
	}
	return fetchArchive, nil
}

// rejectRevision returns ErrInvalid for a revision of a source other than git.
func rejectRevision(src Source) error {
	if src.Revision == "" {
		return nil
	}
	err := fault.Errorf(fault.ErrInvalid, "only git repositories have revisions")
	return fault.WithHint(err, "name the version in the reference: oci://HOST/PATH:TAG")
}

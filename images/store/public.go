package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"
)

// SetPublic records that a repository, such as docker.io/library/nginx, serves content without authentication. The
// content need not be stored yet. Errors: errdef.ErrInvalidDigest.
func (s *Store) SetPublic(repository string, digests ...digest.Digest) error {
	for _, d := range digests {
		if _, err := s.blobPath(d); err != nil {
			return err
		}
		if s.IsPublic(repository, d) {
			continue
		}
		if err := os.MkdirAll(s.public(), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(s.publicPath(repository, d), nil, 0o600); err != nil {
			return asFull(err)
		}
	}
	return nil
}

// IsPublic reports whether [Store.SetPublic] was called for content in a repository. Content that was pushed, as an
// import does, is not public.
func (s *Store) IsPublic(repository string, d digest.Digest) bool {
	_, err := os.Stat(s.publicPath(repository, d))
	return err == nil
}

func (s *Store) public() string { return filepath.Join(s.dir, "public") }

// publicPath returns the path of the mark of a valid digest. The name of a repository may be too long for a file.
func (s *Store) publicPath(repository string, d digest.Digest) string {
	return filepath.Join(s.public(), d.Encoded()+"-"+digest.FromString(repository).Encoded())
}

// dropPublic removes the marks of content that is not stored. It is marked again when it is fetched again.
func (s *Store) dropPublic() error {
	entries, err := os.ReadDir(s.public())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cannot list public content: %w", err)
	}
	for _, e := range entries {
		hex, _, _ := strings.Cut(e.Name(), "-")
		d := digest.NewDigestFromEncoded(digest.SHA256, hex)
		if d.Validate() != nil || s.size(d) >= 0 {
			continue
		}
		if err := os.Remove(filepath.Join(s.public(), e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

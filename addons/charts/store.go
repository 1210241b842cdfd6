// Package charts reads charts from registries, HTTP repositories, directories, archives and lab
// itself, always as one archive with a digest. It caches downloads by digest, so that each is
// fetched once. It records the digest of a version at the first download and later rejects another
// one.
//
//	DIR/sha256-….tgz     an archive
//	DIR/seen/REFERENCE   the digest that this reference had first
package charts

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Options configure a Store.
type Options struct {
	Dir     string // of the cache; created when the first chart is stored
	Offline bool   // never touch the network
	CA      []byte // certificates (PEM) that are trusted in addition to the system's
	CAFile  string // PEM of authorities that are trusted in addition to the system's; "" for none

	Pause, Stall time.Duration // as in [download.Options]

	// Files with credentials; "" for those of docker and helm.
	DockerConfig     string // config.json
	RegistryConfig   string // registry/config.json of helm
	RepositoryConfig string // repositories.yaml of helm
}

// Store implements [addons.Source]. It is safe for concurrent use, also by several processes.
type Store struct {
	opts Options
}

// New returns a store. It reads and writes nothing.
func New(opts Options) *Store { return &Store{opts} }

// Chart implements [addons.Source].
func (s *Store) Chart(ctx context.Context, c addons.Chart) (addons.Archive, error) {
	if c.Path != "" {
		return local(ctx, c.Path)
	}
	if c.Builtin != "" {
		return builtin(c.Builtin)
	}
	archive, err := s.remote(ctx, c)
	if err != nil {
		return addons.Archive{}, fmt.Errorf("the chart %s: %w", c, err)
	}
	return archive, nil
}

// remote reads a chart from the cache, or from its source if it is not cached.
func (s *Store) remote(ctx context.Context, c addons.Chart) (addons.Archive, error) {
	seen, err := s.seen(c)
	if err != nil {
		return addons.Archive{}, err
	}
	if data, err := os.ReadFile(s.archive(seen)); err == nil && digest(data) == seen {
		return addons.Archive{Digest: seen, Data: data}, nil
	}
	if s.opts.Offline {
		err := fault.Errorf(fault.ErrUnavailable, "it is not cached, and --offline is set")
		return addons.Archive{}, fault.WithHint(err, "run the command once without --offline, or give the addon a chart with a path")
	}
	pull := s.fromRepository
	if c.OCI != "" {
		pull = s.fromRegistry
	}
	data, err := pull(ctx, c)
	if err != nil {
		return addons.Archive{}, err
	}
	got := addons.Archive{Digest: digest(data), Data: data}
	if seen != "" && got.Digest != seen {
		err := fault.Errorf(fault.ErrForeign, "its content changed: its digest is %s, and was %s when lab first downloaded it", got.Digest, seen)
		return addons.Archive{}, fault.WithHint(err, "ask its authors why; to accept the new content: rm %s", fault.ShellWord(s.seenFile(c)))
	}
	if err := usable(data); err != nil {
		return addons.Archive{}, err
	}
	return got, s.keep(c, got)
}

// seen returns the digest of a chart at its first download, or "".
func (s *Store) seen(c addons.Chart) (string, error) {
	data, err := os.ReadFile(s.seenFile(c))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(data)), err
}

// keep stores an archive in the cache, and then its digest: a recorded reference has an archive
// unless a user deleted it.
func (s *Store) keep(c addons.Chart, a addons.Archive) error {
	if err := os.MkdirAll(filepath.Join(s.opts.Dir, "seen"), 0o700); err != nil {
		return err
	}
	if err := atomicfile.Write(s.archive(a.Digest), a.Data, 0o600); err != nil {
		return err
	}
	return atomicfile.Write(s.seenFile(c), []byte(a.Digest+"\n"), 0o600)
}

// Keep stores the archive of a chart that did not come from its source, for example from a file, as if it had been
// downloaded. It returns ErrInvalid if the data is not an installable chart, and ErrForeign if the source delivered other
// content before.
func (s *Store) Keep(c addons.Chart, data []byte) error {
	a := addons.Archive{Digest: digest(data), Data: data}
	seen, err := s.seen(c)
	if err == nil && seen != "" && seen != a.Digest {
		err = fault.Errorf(fault.ErrForeign, "its content changed: its digest is %s, and was %s when lab first downloaded it", a.Digest, seen)
		err = fault.WithHint(err, "to accept the new content: rm %s", fault.ShellWord(s.seenFile(c)))
	}
	if err == nil {
		err = usable(data)
	}
	if err == nil {
		err = s.keep(c, a)
	}
	if err != nil {
		return fmt.Errorf("the chart %s: %w", c, err)
	}
	return nil
}

func (s *Store) archive(digest string) string {
	return filepath.Join(s.opts.Dir, strings.ReplaceAll(digest, ":", "-")+".tgz")
}

// seenFile returns the file for the digest of a reference. Its name is readable, and ends in a digest
// that makes it unique. It contains no user names or passwords.
func (s *Store) seenFile(c addons.Chart) string {
	public := func(address string) string { return strings.Replace(fault.Redact(address), "***@", "", 1) }
	oci, repository := public(c.OCI), public(c.Repository)
	readable := regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(oci+repository+"_"+c.Name+"_"+c.Version, "_")
	sum := digest(fmt.Appendf(nil, "%q %q %q %q", oci, repository, c.Name, c.Version))
	return filepath.Join(s.opts.Dir, "seen", readable+"_"+sum[len("sha256:"):][:8])
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

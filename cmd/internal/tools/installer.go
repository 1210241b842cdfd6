package tools

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const pollInterval = 10 * time.Millisecond

// Installer installs tools in a directory and removes them. It is safe for concurrent use, also by
// other processes.
type Installer struct {
	Dir      string                                   // created by the first installation
	Platform string                                   // "linux/amd64"
	Catalog  func() (Catalog, error)                  // [Builtin], except in tests
	Client   func(ca []byte) (download.Client, error) // trusts these certificates (PEM), too
}

// record has the versions of a tool that lab installed, by the checksum of the program. It is
// written before the program, so a program with another checksum is never lab's, even after an
// interrupted installation.
type record map[string]string

// Path returns the path of an installed tool.
func (i Installer) Path(name string) string {
	if strings.HasPrefix(i.Platform, "windows/") {
		name += ".exe"
	}
	return filepath.Join(i.Dir, name)
}

// Held returns the installed version of t, or "". It returns ErrForeign for a program of that name
// that lab did not install or that was changed since, and ErrUnavailable for one that cannot be
// read.
func (i Installer) Held(t Tool) (version string, err error) {
	sum, err := checksumOf(i.Path(t.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fault.Errorf(fault.ErrUnavailable, "cannot read %s: %w", t.Name, err)
	}
	r, err := i.recordOf(t)
	if err != nil {
		return "", err
	}
	version, ok := r[sum]
	if !ok {
		err := fault.Errorf(fault.ErrForeign, "%s is not managed by lab", i.Path(t.Name))
		return "", fault.WithHint(err, "move it: mv %s %s", fault.ShellWord(i.Path(t.Name)), fault.ShellWord(i.Path(t.Name)+".old"))
	}
	return version, nil
}

// Install installs t in the version of the catalog. It reports whether it changed anything; it
// does not call source if that version is installed. It writes a program only after it verified
// all of it. Errors: those of Held and of source; ErrInvalid if the name is not that of a file in the
// directory; ErrUnsupported if the catalog has no checksum for this platform; ErrUnavailable if the
// directory cannot be written.
func (i Installer) Install(ctx context.Context, t Tool, source Source, moved func(string)) (fresh bool, err error) {
	if strings.ContainsAny(t.Name, "/\\:") || !filepath.IsLocal(t.Name) || t.Name == "." {
		return false, fault.Errorf(fault.ErrInvalid, "%q is not the name of a tool", t.Name)
	}
	f, ok := t.Files[i.Platform]
	if !ok {
		err := fault.Errorf(fault.ErrUnsupported, "lab has no checksum of %s %s for %s", t.Name, t.Version, i.Platform)
		return false, fault.WithHint(err, "install it yourself; lab tools list shows the programs on PATH")
	}
	held, err := i.Held(t)
	if err != nil || held == t.Version {
		return false, err
	}
	data, err := source(ctx, t, f, moved)
	if err != nil {
		return false, err
	}
	program, err := f.program(data)
	if err != nil {
		return false, err
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	return true, i.put(ctx, t, program)
}

// put writes the record, then the program. After an error it leaves what was installed before.
func (i Installer) put(ctx context.Context, t Tool, program []byte) error {
	r, err := i.recordOf(t)
	if err != nil {
		return err
	}
	r[checksum(program)] = t.Version
	if err := i.write(ctx, t, r, program); err != nil {
		if len(r) == 1 { // nothing was installed before
			_, _ = os.Remove(i.record(t)), os.Remove(i.Dir)
		}
		err = fault.Errorf(fault.ErrUnavailable, "cannot install %s in %s: %w", t.Name, i.Dir, err)
		return fault.WithHint(err, "free some space and check the permissions of the directory, or use another one for all files of lab: export LAB_HOME=DIR")
	}
	return nil
}

func (i Installer) write(ctx context.Context, t Tool, r record, program []byte) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(i.Dir, 0o700); err != nil {
		return err
	}
	i.sweep(t)
	defer i.writing(ctx)()
	if err := atomicfile.Write(i.record(t), append(text, '\n'), 0o600); err != nil {
		return err
	}
	return atomicfile.Write(i.Path(t.Name), program, 0o755)
}

// writing takes a shared lock on the directory until release is called or the process ends. It
// keeps other processes from removing temporary files of this one. File systems without such locks
// need none: sweep does nothing there.
func (i Installer) writing(ctx context.Context) (release func()) {
	l := flock.New(i.Dir, flock.SetFlag(os.O_RDONLY))
	_, _ = l.TryRLockContext(ctx, pollInterval)
	return func() { _ = l.Unlock() }
}

// sweep removes temporary files of processes that were killed while they installed t. It does
// nothing while a process writes to the directory.
func (i Installer) sweep(t Tool) {
	l := flock.New(i.Dir, flock.SetFlag(os.O_RDONLY))
	if locked, err := l.TryLock(); err != nil || !locked {
		return
	}
	defer func() { _ = l.Unlock() }()
	atomicfile.RemoveLeftovers(i.record(t))
	atomicfile.RemoveLeftovers(i.Path(t.Name))
}

// Remove removes t. It returns ErrNotFound if lab has not installed it, ErrForeign as Held does,
// and ErrUnavailable if the directory cannot be written.
func (i Installer) Remove(t Tool) error {
	held, err := i.Held(t)
	if err != nil {
		return err
	}
	i.sweep(t)
	if held == "" {
		_, _ = os.Remove(i.record(t)), os.Remove(i.Dir) // another program removed the tool
		err := fault.Errorf(fault.ErrNotFound, "lab has not installed %s", t.Name)
		return fault.WithHint(err, "list the installed tools: lab tools list")
	}
	// The record last: it says that the program is lab's.
	for _, path := range []string{i.Path(t.Name), i.record(t)} {
		if err := os.Remove(path); err != nil {
			return fault.Errorf(fault.ErrUnavailable, "cannot remove %s: %w", t.Name, err)
		}
	}
	_ = os.Remove(i.Dir) // fails if it has other tools
	return nil
}

func (i Installer) record(t Tool) string { return filepath.Join(i.Dir, "."+t.Name+".json") }

func (i Installer) recordOf(t Tool) (record, error) {
	text, err := os.ReadFile(i.record(t))
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, nil
	}
	if err != nil {
		return nil, fault.Errorf(fault.ErrUnavailable, "cannot read the record of %s: %w", t.Name, err)
	}
	r := record{}
	if err := json.Unmarshal(text, &r); err != nil {
		err = fault.Errorf(fault.ErrUnavailable, "cannot read %s: %w", i.record(t), err)
		return nil, fault.WithHint(err, "move it, and the program: mv %s %s", fault.ShellWord(i.record(t)), fault.ShellWord(i.record(t)+".old"))
	}
	return r, nil
}

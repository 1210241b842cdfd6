package tools

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/cmd/internal/atomicfile"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Installer puts tools into a directory, and takes them away. It is safe for concurrent use,
// by other processes too.
type Installer struct {
	Dir      string                                   // made when something is put into it
	Platform string                                   // "linux/amd64"
	Catalog  func() (Catalog, error)                  // [Builtin], outside tests
	Client   func(ca []byte) (download.Client, error) // trusts these certificates (PEM), too
}

// record is what lab put into the directory under the name of a tool: versions by the
// checksum of the program. It is written first, so whatever program is there is lab's if
// its checksum is in it, and somebody else's if not, wherever lab was interrupted.
type record map[string]string

// Path returns where a tool is, once it is installed.
func (i Installer) Path(name string) string {
	if strings.HasPrefix(i.Platform, "windows/") {
		name += ".exe"
	}
	return filepath.Join(i.Dir, name)
}

// Held returns the version of t that lab installed, or "" where it is not there. It returns
// ErrForeign where there is a program of that name that lab did not put there, or that was
// changed since, and ErrUnavailable where that cannot be read.
func (i Installer) Held(t Tool) (version string, err error) {
	sum, err := checksumOf(i.Path(t.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fault.Errorf(fault.ErrUnavailable, "%s: %w", t.Name, err)
	}
	r, err := i.recordOf(t)
	if err != nil {
		return "", err
	}
	version, ok := r[sum]
	if !ok {
		err := fault.Errorf(fault.ErrForeign, "%s is not the %s that lab put there, so lab leaves it alone", i.Path(t.Name), t.Name)
		return "", fault.WithHint(err, "put it aside: mv %s %s", fault.ShellWord(i.Path(t.Name)), fault.ShellWord(i.Path(t.Name)+".old"))
	}
	return version, nil
}

// Install brings t to the version of the catalogue, and tells whether there was anything to
// do: where not, it does not touch source. Nothing that can be executed is there before it
// is verified and whole. Errors: those of Held and of source; ErrUnsupported where there is
// no checksum for this platform; ErrUnavailable where the directory cannot be written.
func (i Installer) Install(ctx context.Context, t Tool, source Source, moved func(string)) (fresh bool, err error) {
	f, ok := t.Files[i.Platform]
	if !ok {
		err := fault.Errorf(fault.ErrUnsupported, "there is no %s %s with a known checksum for %s", t.Name, t.Version, i.Platform)
		return false, fault.WithHint(err, "install it yourself: lab tools list shows what lab finds on PATH")
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
	return true, i.put(t, program)
}

// put writes the record, then the program.
func (i Installer) put(t Tool, program []byte) error {
	r, err := i.recordOf(t)
	if err != nil {
		return err
	}
	r[checksum(program)] = t.Version
	if err := i.write(t, r, program); err != nil {
		if len(r) == 1 { // there was nothing before
			_, _ = os.Remove(i.record(t)), os.Remove(i.Dir)
		}
		err = fault.Errorf(fault.ErrUnavailable, "%s cannot be put into %s: %w", t.Name, i.Dir, err)
		return fault.WithHint(err, "see that there is room and that you may write there, or keep all of lab elsewhere: export LAB_HOME=DIR")
	}
	return nil
}

func (i Installer) write(t Tool, r record, program []byte) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(i.Dir, 0o700); err != nil {
		return err
	}
	if err := atomicfile.Write(i.record(t), append(text, '\n'), 0o600); err != nil {
		return err
	}
	return atomicfile.Write(i.Path(t.Name), program, 0o755)
}

// Remove takes t away. It returns ErrNotFound where it is not there, ErrForeign as Held does,
// and ErrUnavailable where the directory cannot be written.
func (i Installer) Remove(t Tool) error {
	held, err := i.Held(t)
	if err != nil {
		return err
	}
	if held == "" {
		_, _ = os.Remove(i.record(t)), os.Remove(i.Dir) // where somebody else removed the program
		err := fault.Errorf(fault.ErrNotFound, "lab has not installed %s", t.Name)
		return fault.WithHint(err, "lab tools list shows what there is, and where")
	}
	// The record last: as long as the program is there, it is known to be lab's.
	for _, path := range []string{i.Path(t.Name), i.record(t)} {
		if err := os.Remove(path); err != nil {
			return fault.Errorf(fault.ErrUnavailable, "remove %s: %w", t.Name, err)
		}
	}
	_ = os.Remove(i.Dir) // fails, rightly, where something is in it
	return nil
}

func (i Installer) record(t Tool) string { return filepath.Join(i.Dir, "."+t.Name+".json") }

func (i Installer) recordOf(t Tool) (record, error) {
	text, err := os.ReadFile(i.record(t))
	if errors.Is(err, fs.ErrNotExist) {
		return record{}, nil
	}
	if err != nil {
		return nil, fault.Errorf(fault.ErrUnavailable, "what lab installed: %w", err)
	}
	r := record{}
	if err := json.Unmarshal(text, &r); err != nil {
		err = fault.Errorf(fault.ErrUnavailable, "what lab installed cannot be read: %s: %w", i.record(t), err)
		return nil, fault.WithHint(err, "put it aside, and the program, too: mv %s %s", fault.ShellWord(i.record(t)), fault.ShellWord(i.record(t)+".old"))
	}
	return r, nil
}

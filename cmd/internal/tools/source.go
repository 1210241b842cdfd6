package tools

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Source returns the release of a tool for a platform, verified: what it returns has the
// checksum of f. It tells moved, as people read it, how far it is.
type Source func(ctx context.Context, t Tool, f File, moved func(string)) ([]byte, error)

// Network returns the source that asks the servers that the catalogue names. It returns
// ErrForeign where something else is there, and the errors of [download.Client.Get].
func Network(client download.Client) Source {
	return func(ctx context.Context, _ Tool, f File, moved func(string)) ([]byte, error) {
		data, err := client.Get(ctx, download.Request{URL: f.URL, Limit: maxArchive, Moved: func(arrived, of int64) {
			moved(progress(arrived, of))
		}})
		if err != nil {
			return nil, f.orFrom(err)
		}
		return data, f.verify(data, f.URL)
	}
}

func progress(arrived, of int64) string {
	if of < 0 {
		return fmt.Sprintf("%d MiB", arrived>>20)
	}
	return fmt.Sprintf("%d of %d MiB", arrived>>20, (of+1<<20-1)>>20)
}

// Directory returns the source that looks into a directory on this machine, for the file by
// the name that its release has or by any other that begins with the tool's: a browser or a
// teacher may have renamed it. It returns ErrNotFound where it is not there, and ErrForeign
// where the file of that name is something else.
func Directory(dir string) Source {
	return func(ctx context.Context, t Tool, f File, _ func(string)) ([]byte, error) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, fault.Errorf(fault.ErrNotFound, "the directory of --from: %w", err)
		}
		wrong := fault.WithHint(fault.Errorf(fault.ErrNotFound, "there is no %s in %s", f.base(), dir),
			"put it there, from %s", f.URL)
		for _, e := range entries {
			if !strings.HasPrefix(strings.ToLower(e.Name()), t.Name) || ctx.Err() != nil {
				continue
			}
			data, err := read(filepath.Join(dir, e.Name()))
			if err == nil {
				err = f.verify(data, filepath.Join(dir, e.Name()))
			}
			if err == nil {
				return data, nil
			}
			if e.Name() == f.base() {
				wrong = err
			}
		}
		return nil, errors.Join(ctx.Err(), wrong)
	}
}

// read returns a file that may be a release.
func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxArchive {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fs.ErrInvalid}
	}
	return os.ReadFile(path)
}

// verify returns ErrForeign where data, which is from where, has another checksum.
func (f File) verify(data []byte, where string) error {
	got := checksum(data)
	if got == f.SHA256 {
		return nil
	}
	err := fault.Errorf(fault.ErrForeign, "%s is not the release that lab knows: its SHA-256 is %s, not %s; nothing was installed", where, got, f.SHA256)
	return fault.WithHint(err, "it was damaged on its way, or a proxy answered in its place: look at it, and get it again from %s", f.URL)
}

func checksum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// checksumOf is checksum of a file, which is not read into memory: programs are large.
func checksumOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// orFrom adds to the hint of err the way that needs no network.
func (f File) orFrom(err error) error {
	way := "without a network: lab tools install --from DIR, with " + f.base() + " in DIR"
	if hint := fault.HintOf(err); hint != "" {
		way = hint + "; " + way
	}
	return fault.WithHint(err, "%s", way)
}

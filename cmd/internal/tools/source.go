package tools

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Source returns the release of a tool for a platform, after it verified the checksum of f. It
// calls moved with the progress as text.
type Source func(ctx context.Context, t Tool, f File, moved func(string)) ([]byte, error)

// Network returns the source that downloads from the URLs of the catalog. The source returns
// ErrForeign for a file with another checksum, and the errors of [download.Client.Get].
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
		return event.Size(arrived)
	}
	return event.Size(arrived) + " of " + event.Size(of)
}

// Directory returns the source that reads a directory on this machine. A release may have its
// original name or any other that begins with the tool's, because browsers rename downloads. The
// source returns ErrNotFound if no file is the release, and ErrForeign if the file with the
// original name has another checksum.
func Directory(dir string) Source {
	return func(ctx context.Context, t Tool, f File, _ func(string)) ([]byte, error) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, fault.Errorf(fault.ErrNotFound, "cannot read the directory of --from: %w", err)
		}
		wrong := fault.WithHint(fault.Errorf(fault.ErrNotFound, "%s has no file %s", dir, f.base()),
			"download %s to that directory", f.URL)
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

// read returns the content of a file that is not too large for a release.
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

// verify returns ErrForeign if data has another checksum. Where is the origin of data.
func (f File) verify(data []byte, where string) error {
	got := checksum(data)
	if got == f.SHA256 {
		return nil
	}
	err := fault.Errorf(fault.ErrForeign, "cannot install %s: its SHA-256 is %s, not %s", where, got, f.SHA256)
	return fault.WithHint(err, "the download is damaged, or a proxy answered instead of the server: download it again from %s", f.URL)
}

func checksum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// checksumOf returns the checksum of a file. It does not read it into memory, because programs are
// large.
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

// orFrom adds to the hint of err how to install without a network.
func (f File) orFrom(err error) error {
	way := "without a network, copy " + f.base() + " to a directory: lab tools install --from DIR"
	if hint := fault.HintOf(err); hint != "" {
		way = hint + "; " + way
	}
	return fault.WithHint(err, "%s", way)
}

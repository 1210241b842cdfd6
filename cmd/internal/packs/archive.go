package packs

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// fetchDirectory copies a directory, except .git.
func fetchDirectory(ctx context.Context, src Source, d *draft) (string, string, error) {
	from := filepath.Join(src.Ref, src.Path)
	root, err := os.OpenRoot(src.Ref)
	if err != nil {
		return "", "", fault.Errorf(fault.ErrUnavailable, "%w", err)
	}
	defer func() { _ = root.Close() }()
	start := path.Clean(filepath.ToSlash(src.Path))
	if !fs.ValidPath(start) {
		return "", "", fault.Errorf(fault.ErrInvalid, "the path %q leads outside", src.Path)
	}
	files := root.FS()
	err = fs.WalkDir(files, start, func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil || ctx.Err() != nil:
			return errors.Join(err, ctx.Err())
		case e.IsDir() && e.Name() == ".git":
			return fs.SkipDir
		case e.IsDir():
			return nil
		case !e.Type().IsRegular():
			return notRegular(name)
		}
		f, err := files.Open(name)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		return d.put(name, f)
	})
	return "", filepath.Clean(from), err
}

// fetchArchive reads a gzipped tar.
func fetchArchive(ctx context.Context, src Source, d *draft) (string, string, error) {
	f, err := os.Open(src.Ref)
	if err != nil {
		return "", "", fault.Errorf(fault.ErrUnavailable, "%w", err)
	}
	defer func() { _ = f.Close() }()
	sum := sha256.New()
	limited := &limitedReader{from: io.TeeReader(f, sum), left: maxArchive}
	if err := unzip(ctx, limited, d); err != nil {
		return "", "", err
	}
	if _, err := io.Copy(io.Discard, limited); err != nil {
		return "", "", err
	}
	return fmt.Sprintf("sha256:%x", sum.Sum(nil)), filepath.Base(src.Ref), nil
}

// fetchArtifact reads the gzipped tar of an OCI artifact.
func (s *Store) fetchArtifact(ctx context.Context, src Source, d *draft) (string, string, error) {
	data, digest, err := s.Fetch(ctx, src.Ref, maxArchive)
	if err != nil {
		return "", "", err
	}
	return digest, path.Base(src.Ref), unzip(ctx, bytes.NewReader(data), d)
}

// unzip writes the files of a gzipped tar to a draft.
func unzip(ctx context.Context, from io.Reader, d *draft) error {
	zipped, err := gzip.NewReader(from)
	if err != nil {
		err := fault.Errorf(fault.ErrInvalid, "it is not a gzipped tar: %w", err)
		return fault.WithHint(err, "create one: tar czf PACK.tar.gz DIR")
	}
	inside := &limitedReader{from: zipped, left: maxArchive}
	if err := untar(ctx, inside, d); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, inside); err != nil { // up to the checksum of gzip
		return damaged(err)
	}
	return nil
}

// untar writes the files of a tar to a draft.
func untar(ctx context.Context, from io.Reader, d *draft) error {
	files := tar.NewReader(from)
	for {
		h, err := files.Next()
		switch {
		case errors.Is(err, io.EOF):
			return ctx.Err()
		case err != nil:
			return damaged(err)
		case ctx.Err() != nil:
			return ctx.Err()
		}
		switch h.Typeflag {
		case tar.TypeDir, tar.TypeXGlobalHeader:
			continue
		case tar.TypeReg:
		default:
			return notRegular(h.Name)
		}
		if err := d.put(path.Clean(h.Name), files); err != nil {
			return damaged(err)
		}
	}
}

// damaged returns ErrForeign for a file that ends too early or has a wrong checksum. It returns other errors unchanged.
func damaged(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, tar.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) {
		return fault.WithHint(fault.Errorf(fault.ErrForeign, "it is damaged: %w", err), "copy or download it again")
	}
	return err
}

// limitedReader fails after left bytes, where io.LimitedReader would end.
type limitedReader struct {
	from io.Reader
	left int64
}

func (l *limitedReader) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, tooLarge("the archive has more than %s", event.Size(maxArchive))
	}
	n, err := l.from.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

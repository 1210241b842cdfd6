package tools

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/clusterlab-dev/lab/providers/event"
)

const (
	tarball = ".tar.gz"
	zipped  = ".zip"

	maxArchive = 128 << 20
	maxProgram = 256 << 20 // unpacked, with the members before it in the archive
)

// program returns the program in a release. It reads one member of an archive into memory, so no
// name in an archive becomes the name of a file.
func (f File) program(data []byte) ([]byte, error) {
	program, err := data, error(nil)
	switch {
	case strings.HasSuffix(f.URL, tarball):
		program, err = fromTarball(data, f.Member, maxProgram)
	case strings.HasSuffix(f.URL, zipped):
		program, err = fromZip(data, f.Member, maxProgram)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot unpack %s: %w", f.base(), err)
	}
	return program, nil
}

func fromTarball(data []byte, member string, limit int64) ([]byte, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	// Skipped members are unpacked, too, so the limit counts all of them.
	files := tar.NewReader(io.LimitReader(unzipped, limit))
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil, missing(member)
		}
		if err != nil {
			return nil, err
		}
		if header.Typeflag == tar.TypeReg && strings.TrimPrefix(header.Name, "./") == member {
			return io.ReadAll(files)
		}
	}
}

func fromZip(data []byte, member string, limit int64) ([]byte, error) {
	files, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	for _, file := range files.File {
		if file.Name != member || !file.Mode().IsRegular() {
			continue
		}
		r, err := file.Open()
		if err != nil {
			return nil, err
		}
		defer func() { _ = r.Close() }()
		program, err := io.ReadAll(io.LimitReader(r, limit+1))
		if err == nil && int64(len(program)) > limit {
			err = fmt.Errorf("%s has more than %s", member, event.Size(limit))
		}
		return program, err
	}
	return nil, missing(member)
}

func missing(member string) error { return fmt.Errorf("no file %s in the archive", member) }

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
)

const (
	tarball = ".tar.gz"
	zipped  = ".zip"

	maxArchive = 128 << 20
	maxProgram = 256 << 20 // unpacked, with all that comes before it in its archive
)

// program returns the program that is in data, a release. Of an archive it reads the one
// member that is asked for, into memory: no name in an archive ever becomes one on the disk.
func (f File) program(data []byte) ([]byte, error) {
	unpack := func(data []byte, _ string) ([]byte, error) { return data, nil }
	switch {
	case strings.HasSuffix(f.URL, tarball):
		unpack = fromTarball
	case strings.HasSuffix(f.URL, zipped):
		unpack = fromZip
	}
	program, err := unpack(data, f.Member)
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", f.base(), err)
	}
	return program, nil
}

func fromTarball(data []byte, member string) ([]byte, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	// What is skipped is unpacked, too, so the bound is for all of it.
	files := tar.NewReader(io.LimitReader(unzipped, maxProgram))
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

func fromZip(data []byte, member string) ([]byte, error) {
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
		program, err := io.ReadAll(io.LimitReader(r, maxProgram+1))
		if err == nil && len(program) > maxProgram {
			err = fmt.Errorf("%s has more than %d MiB", member, maxProgram>>20)
		}
		return program, err
	}
	return nil, missing(member)
}

func missing(member string) error { return fmt.Errorf("there is no %s in it", member) }

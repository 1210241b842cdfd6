package imagecache

import (
	"archive/tar"
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// programInImage and authoritiesInImage are the files of the image. Go looks for authorities in the latter.
const (
	programInImage     = "lab"
	authoritiesInImage = "etc/ssl/certs/ca-certificates.crt"
)

// image is what the image of the cache contains.
type image struct {
	program     string // its path
	authorities []byte // PEM
	digest      string // of both
}

// programFor returns the path of lab for Linux, which needs no libraries, on a system. Errors: ErrUnavailable.
func (d Docker) programFor(system string) (string, error) {
	self, err := d.Program, error(nil)
	if self == "" {
		self, err = os.Executable()
	}
	if err != nil {
		return "", err
	}
	if system != "linux" {
		self = filepath.Join(filepath.Dir(self), "lab-linux")
	}
	err = static(self)
	if err != nil {
		err = fault.Errorf(fault.ErrUnavailable, "the cache needs a lab for Linux without libraries: %w", err)
		return "", fault.WithHint(err, "build it: CGO_ENABLED=0 GOOS=linux go build -o %s ./cmd/lab", fault.ShellWord(self))
	}
	return self, nil
}

// static returns an error if a file is not a program for Linux, or if it needs libraries, which the image lacks.
func static(path string) error {
	f, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return fmt.Errorf("%s needs the libraries of this system", path)
		}
	}
	return nil
}

// contents returns what an image with a program contains.
func (d Docker) contents(program string) (image, error) {
	authorities, err := systemAuthorities()
	if err != nil {
		return image{}, err
	}
	if d.CAFile != "" {
		more, err := os.ReadFile(d.CAFile)
		if err != nil {
			return image{}, err
		}
		authorities = append(append(authorities, '\n'), more...)
	}
	data, err := os.ReadFile(program)
	if err != nil {
		return image{}, err
	}
	return image{program, authorities, hash(string(data), string(authorities))}, nil
}

// systemAuthorities returns the certificate authorities of this system. An image without any cannot ask registries.
func systemAuthorities() ([]byte, error) {
	for _, path := range []string{
		os.Getenv("SSL_CERT_FILE"),
		"/etc/ssl/certs/ca-certificates.crt", // Debian, Arch
		"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora
		"/etc/ssl/ca-bundle.pem",             // openSUSE
		"/etc/ssl/cert.pem",                  // Alpine, macOS
	} {
		if path == "" {
			continue
		}
		data, err := os.ReadFile(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return data, err
		}
	}
	err := fault.Errorf(fault.ErrUnavailable, "cannot find the certificate authorities of this system")
	return nil, fault.WithHint(err, "name their PEM file: export SSL_CERT_FILE=FILE")
}

// load creates the image in the engine.
func (i image) load(ctx context.Context, name string) error {
	r, w := io.Pipe()
	go func() { w.CloseWithError(i.write(w)) }()
	err := docker.Import(ctx, r, name, `ENTRYPOINT ["/`+programInImage+`"]`)
	return errors.Join(err, r.Close())
}

// write writes the files of the image as a tar archive.
func (i image) write(to io.Writer) error {
	program, err := os.Open(i.program)
	if err != nil {
		return err
	}
	defer func() { _ = program.Close() }()
	info, err := program.Stat()
	if err != nil {
		return err
	}
	w := tar.NewWriter(to)
	for _, file := range []struct {
		name    string
		mode    int64
		size    int64
		content io.Reader
	}{
		{programInImage, 0o755, info.Size(), program},
		{authoritiesInImage, 0o644, int64(len(i.authorities)), bytes.NewReader(i.authorities)},
	} {
		if err := w.WriteHeader(&tar.Header{Name: file.name, Mode: file.mode, Size: file.size}); err != nil {
			return err
		}
		if _, err := io.Copy(w, file.content); err != nil {
			return err
		}
	}
	return w.Close()
}

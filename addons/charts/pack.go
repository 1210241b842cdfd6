package charts

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// pack makes an archive of the files of a chart. Its digest is one of the files and not of
// the archive, which depends on the compressor.
func pack(files []*loader.BufferedFile, name string) (addons.Archive, error) {
	var data bytes.Buffer
	zip, err := gzip.NewWriterLevel(&data, gzip.BestSpeed) // it is read once, here
	if err != nil {
		return addons.Archive{}, err
	}
	out := tar.NewWriter(zip)
	sum := sha256.New()
	for _, f := range files {
		_, _ = fmt.Fprintf(sum, "%q %d\n", f.Name, len(f.Data)) // a hash does not fail
		_, _ = sum.Write(f.Data)
		header := &tar.Header{Name: path.Join(name, f.Name), Mode: 0o644, Size: int64(len(f.Data)), Typeflag: tar.TypeReg}
		if err := out.WriteHeader(header); err != nil {
			return addons.Archive{}, err
		}
		if _, err := out.Write(f.Data); err != nil {
			return addons.Archive{}, err
		}
	}
	err = errors.Join(out.Close(), zip.Close())
	return addons.Archive{Digest: "sha256:" + hex.EncodeToString(sum.Sum(nil)), Data: data.Bytes()}, err
}

// builtin reads a chart that is part of lab.
func builtin(name string) (addons.Archive, error) {
	embedded, err := addons.BuiltinChart(name)
	if err != nil {
		return addons.Archive{}, err
	}
	var files []*loader.BufferedFile
	err = fs.WalkDir(embedded, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(embedded, p)
		files = append(files, &loader.BufferedFile{Name: p, Data: data})
		return err
	})
	if err != nil {
		return addons.Archive{}, err
	}
	return pack(files, name)
}

// installable returns ErrInvalid if `helm install` would reject a chart: it is a library, or a
// dependency is missing. build is the command that adds missing dependencies.
func installable(c *chart.Chart, build string) error {
	if kind := c.Metadata.Type; kind != "" && kind != "application" {
		err := fault.Errorf(fault.ErrInvalid, "it is a %s chart, which cannot be installed", kind)
		return fault.WithHint(err, "install a chart that names %s among its dependencies", c.Name())
	}
	if err := action.CheckDependencies(c, c.Metadata.Dependencies); err != nil {
		return fault.WithHint(fault.Errorf(fault.ErrInvalid, "%w", err), "%s", build)
	}
	return nil
}

// reason returns an error without its path, for messages that already name the path.
func reason(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

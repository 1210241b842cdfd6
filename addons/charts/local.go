package charts

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers"
)

// maxChart bounds a chart. The cluster takes releases of up to a megabyte, compressed.
const maxChart = 20 << 20

// local reads a chart from a directory or an archive.
func local(name string) (addons.Archive, error) {
	info, err := os.Stat(name)
	if err != nil {
		err = providers.Errorf(providers.ErrNotFound, "the chart %s: %w", name, err)
		return addons.Archive{}, providers.WithHint(err, "a path is relative to the file that names it")
	}
	if info.IsDir() {
		return pack(os.DirFS(name), info.Name())
	}
	if info.Size() > maxChart {
		return addons.Archive{}, tooLarge(name)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return addons.Archive{}, err
	}
	return addons.Archive{Digest: digest(data), Data: data}, nil
}

// pack makes an archive of a directory, the same one each time as long as the files are
// the same.
func pack(files fs.FS, name string) (addons.Archive, error) {
	if _, err := fs.Stat(files, "Chart.yaml"); err != nil {
		err := providers.Errorf(providers.ErrInvalid, "%s is no chart: it has no Chart.yaml", name)
		return addons.Archive{}, providers.WithHint(err, "name the directory in which Chart.yaml is")
	}
	var data bytes.Buffer
	zip, err := gzip.NewWriterLevel(&data, gzip.BestSpeed) // it is read once, here
	if err != nil {
		return addons.Archive{}, err
	}
	out := tar.NewWriter(zip)
	size := int64(0)
	err = fs.WalkDir(files, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && p != "." && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir // such as .git
		}
		if !d.Type().IsRegular() {
			return nil
		}
		n, err := packFile(out, files, p, name)
		if size += n; size > maxChart {
			return tooLarge(name)
		}
		return err
	})
	if err == nil {
		err = out.Close()
	}
	if err == nil {
		err = zip.Close()
	}
	return addons.Archive{Digest: digest(data.Bytes()), Data: data.Bytes()}, err
}

func packFile(out *tar.Writer, files fs.FS, p, name string) (int64, error) {
	content, err := fs.ReadFile(files, p)
	if err != nil {
		return 0, err
	}
	header := &tar.Header{Name: path.Join(name, p), Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg}
	if err := out.WriteHeader(header); err != nil {
		return 0, err
	}
	_, err = out.Write(content)
	return header.Size, err
}

func tooLarge(name string) error {
	return fmt.Errorf("the chart %s has more than %d MiB", name, maxChart>>20)
}

package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers/event"
)

// LoadImages puts images into every node of the cluster. Each of sources is an archive, as
// docker save or an OCI builder writes it, or else an image that the engine of this machine
// has. Errors are those of [providers.Set.SaveImages] and
// [providers.Set.LoadImages].
func (l *Lab) LoadImages(ctx context.Context, name string, sources []string, report event.Reporter) error {
	h, err := l.usableHandle(ctx, name)
	if err != nil {
		return err
	}
	r := h.record
	report = report.For(name)
	var images []string
	for _, source := range sources {
		if !isArchive(source) {
			images = append(images, source)
			continue
		}
		path, done, err := spooled(l.State.Dir(name), source)
		if err != nil {
			return err
		}
		err = l.loadArchive(ctx, r, path, "Loading "+source, report)
		done()
		if err != nil {
			return err
		}
	}
	if len(images) == 0 {
		return nil
	}
	return l.loadNamed(ctx, r, images, report)
}

// isArchive reports whether a source is a file: its content begins like an archive, or it is a
// path that cannot be the name of an image. A directory or a text file may have the name of an
// image.
func isArchive(source string) bool {
	for _, suffix := range []string{".tar", ".tgz", ".gz", ".zst"} {
		if strings.HasSuffix(source, suffix) {
			return true
		}
	}
	if filepath.IsAbs(source) || strings.HasPrefix(source, "./") || strings.HasPrefix(source, "../") {
		return true
	}
	file, err := os.Open(source)
	if err != nil {
		return false
	}
	defer file.Close()
	start := make([]byte, 512) // of a tar, whose first header has its magic at 257
	n, _ := io.ReadFull(file, start)
	start = start[:n]
	return bytes.HasPrefix(start, []byte{0x1f, 0x8b}) || bytes.HasPrefix(start, []byte{0x28, 0xb5, 0x2f, 0xfd}) ||
		len(start) > 262 && string(start[257:262]) == "ustar"
}

// spooled returns a file that can be read more than once, which a pipe cannot, and removes it
// when done is called, or with the cluster whose directory dir is.
func spooled(dir, source string) (path string, done func(), err error) {
	info, err := os.Stat(source)
	if err != nil || info.Mode().IsRegular() || info.IsDir() {
		return source, func() {}, nil // the flavor says what is wrong with it, or that it loads no images
	}
	from, err := os.Open(source)
	if err != nil {
		return "", nil, err
	}
	defer from.Close()
	dir, err = os.MkdirTemp(dir, "images-")
	if err != nil {
		return "", nil, err
	}
	path, done = filepath.Join(dir, "images.tar"), func() { _ = os.RemoveAll(dir) }
	to, err := os.Create(path)
	if err == nil {
		_, err = io.Copy(to, from)
		err = errors.Join(err, to.Close())
	}
	if err != nil {
		done()
		return "", nil, fmt.Errorf("read %s: %w", source, err)
	}
	return path, done, nil
}

// loadNamed saves all images into one archive, in which layers that they share are once.
func (l *Lab) loadNamed(ctx context.Context, r state.Record, images []string, report event.Reporter) error {
	dir, err := os.MkdirTemp(l.State.Dir(r.Name), "images-") // which goes with the cluster, if lab is killed
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	archive, all := filepath.Join(dir, "images.tar"), strings.Join(images, ", ")
	err = report.Do("Saving "+all, func(*event.Step) error {
		return l.Set.SaveImages(ctx, r.Flavor, images, archive)
	})
	if err != nil {
		return err
	}
	return l.loadArchive(ctx, r, archive, "Loading "+all, report)
}

func (l *Lab) loadArchive(ctx context.Context, r state.Record, archive, step string, report event.Reporter) error {
	return report.Do(step, func(*event.Step) error { return l.Set.LoadImages(ctx, refOf(r), archive) })
}

package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// ReadFile returns a file of a container, running or not.
func ReadFile(ctx context.Context, id, path string) ([]byte, error) {
	out, err := run(ctx, "cp", "--follow-link", id+":"+path, "-")
	if err != nil {
		return nil, err
	}
	archive := tar.NewReader(bytes.NewReader(out))
	if _, err := archive.Next(); err != nil {
		return nil, fmt.Errorf("docker cp %s: %w", path, err)
	}
	return io.ReadAll(archive)
}

// WriteFiles writes files, by their absolute paths, into a container, running or not, and
// creates their directories. The files belong to root and are readable for everyone in the
// container.
func WriteFiles(ctx context.Context, id string, files map[string]string) error {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		text := files[path]
		if err := w.WriteHeader(&tar.Header{Name: strings.TrimPrefix(path, "/"), Mode: 0o644, Size: int64(len(text))}); err != nil {
			return err
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	_, err := feed(ctx, &archive, "cp", "-", id+":/")
	return err
}

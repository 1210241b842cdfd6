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

// ReadFile returns a file of a container, which need not run.
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

// WriteFiles writes files, by their absolute paths, into a container, which need not run,
// with the directories that they are in. They belong to root there, and anybody in it
// may read them.
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

package learning

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// WriteFiles writes the files of an exercise that students work with into a directory, and returns
// their paths. Files that exist with the same content stay. If one has another content, WriteFiles
// writes nothing and returns ErrExists.
func WriteFiles(e *exercises.Exercise, dir string) ([]string, error) {
	var paths []string
	for _, f := range e.Files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		paths = append(paths, path)
		switch data, err := os.ReadFile(path); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fault.Errorf(fault.ErrUnavailable, "cannot read what exists: %w", err)
		case !bytes.Equal(data, f.Data):
			err := fault.Errorf(fault.ErrExists, "%s exists with another content", path)
			return nil, fault.WithHint(err, "write the files to another directory: lab exercise files %s --to DIR", e.Name)
		}
	}
	for i, f := range e.Files {
		err := os.MkdirAll(filepath.Dir(paths[i]), 0o755)
		if err == nil {
			err = os.WriteFile(paths[i], f.Data, 0o644)
		}
		if err != nil {
			return nil, fault.Errorf(fault.ErrUnavailable, "cannot write the files of exercise %s: %w", e.Name, err)
		}
	}
	return paths, nil
}

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
// writes nothing and returns ErrExists. A symbolic link counts as another content: its target may be outside.
// It returns ErrNotFound if the exercise has no files.
func WriteFiles(e *exercises.Exercise, dir string) ([]string, error) {
	if len(e.Files) == 0 {
		err := fault.Errorf(fault.ErrNotFound, "exercise %s has no files", e.Name)
		return nil, fault.WithHint(err, "see the task: lab exercise start %s", e.Name)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, unwritten(e, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, unwritten(e, err)
	}
	defer func() { _ = root.Close() }()
	var paths []string
	var missing []exercises.File
	for _, f := range e.Files {
		path := filepath.Join(dir, filepath.FromSlash(f.Path))
		paths = append(paths, path)
		has, err := hasFile(root, f)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, f)
		case err != nil:
			return nil, unwritten(e, err)
		case !has:
			err := fault.Errorf(fault.ErrExists, "%s exists with another content", path)
			return nil, fault.WithHint(err, "write the files to another directory: lab exercise files %s --to DIR", e.Name)
		}
	}
	for _, f := range missing {
		if err := createFile(root, f); err != nil {
			return nil, unwritten(e, err)
		}
	}
	return paths, nil
}

// hasFile reports whether a directory has a file with the same content. It returns fs.ErrNotExist if nothing has its name.
func hasFile(root *os.Root, f exercises.File) (bool, error) {
	name := filepath.FromSlash(f.Path)
	info, err := root.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return false, err
	}
	data, err := root.ReadFile(name)
	return bytes.Equal(data, f.Data), err
}

// createFile writes a file that does not exist. It follows no link that leads out of the directory.
func createFile(root *os.Root, f exercises.File) error {
	name := filepath.FromSlash(f.Path)
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(f.Data)
	return errors.Join(err, file.Close())
}

func unwritten(e *exercises.Exercise, err error) error {
	err = fault.Errorf(fault.ErrUnavailable, "cannot write the files of exercise %s: %w", e.Name, err)
	return fault.WithHint(err, "write the files to another directory: lab exercise files %s --to DIR", e.Name)
}

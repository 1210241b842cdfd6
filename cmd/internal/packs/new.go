package packs

import (
	"bytes"
	"embed"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/exercises"
	"github.com/clusterlab-dev/lab/providers/fault"
)

//go:embed skeleton
var skeleton embed.FS

// placeholder is the name of the pack in the skeleton.
const placeholder = "PACK"

// New writes a small pack that is valid, with schemas for editors, into the new directory dir. Errors: ErrInvalid for an
// invalid name and for that of the builtin pack, ErrExists if the directory exists, ErrUnavailable if it cannot be written.
func New(dir, name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	builtin, err := exercises.Builtin()
	if err != nil {
		return err
	}
	if name == builtin.Name {
		return fault.WithHint(fault.Errorf(fault.ErrInvalid, "the pack %q is part of lab", name), "choose another name: lab pack new my-pack")
	}
	files, err := fs.Sub(skeleton, "skeleton")
	if err != nil {
		return err
	}
	err = os.Mkdir(dir, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return fault.WithHint(fault.Errorf(fault.ErrExists, "%s exists already", fault.ShellWord(dir)), "choose another name, or another directory: --dir DIR")
	}
	if err != nil {
		return fault.Errorf(fault.ErrUnavailable, "cannot write the pack: %w", err)
	}
	err = fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(path))
		if e.IsDir() {
			return os.Mkdir(to, 0o755)
		}
		data, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		return os.WriteFile(to, bytes.ReplaceAll(data, []byte(placeholder), []byte(name)), 0o644)
	})
	if err := errors.Join(err, writeSchemas(dir)); err != nil {
		return fault.Errorf(fault.ErrUnavailable, "cannot write the pack: %w", err)
	}
	return nil
}

// writeSchemas writes the schemas that the first lines of the YAML files name.
func writeSchemas(dir string) error {
	pack, err := exercises.PackSchema()
	if err != nil {
		return err
	}
	exercise, err := exercises.ExerciseSchema()
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(filepath.Join(dir, "pack.schema.json"), pack, 0o644),
		os.WriteFile(filepath.Join(dir, "exercise.schema.json"), exercise, 0o644))
}

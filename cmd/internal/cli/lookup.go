package cli

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// lookUp finds the program that a person means by name, first in the directory bin. The
// kubectl that lab brings along counts, even before it is there.
func (c *command) lookUp(name, bin string) (string, error) {
	if filepath.Base(name) != name {
		path, err := exec.LookPath(name)
		return path, unusable(name, err)
	}
	failure := fs.ErrNotExist
	for _, dir := range append([]string{bin}, filepath.SplitList(os.Getenv("PATH"))...) {
		if dir == "" {
			continue
		}
		// A path, because a bare name would be looked for on this process's own PATH.
		path, err := exec.LookPath(filepath.Join(dir, name))
		if err == nil {
			return path, nil
		}
		if cannotExecute(err) {
			failure = err
		}
	}
	if name == "kubectl" {
		path, _, err := c.findKubectl()
		return path, ui.WithCode(err, codeNotFound)
	}
	return "", unusable(name, failure)
}

// unusable says of a program that cannot be started why, and gives it its exit code.
func unusable(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case cannotExecute(err):
		err := fault.Errorf(fault.ErrInvalid, "%s cannot be executed: %w", name, err)
		return ui.WithCode(fault.WithHint(err, "chmod +x %s, if it is a program", fault.ShellWord(name)), codeNotExecutable)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, exec.ErrNotFound):
		err := fault.Errorf(fault.ErrNotFound, "there is no program %q", name)
		return ui.WithCode(fault.WithHint(err, "see that it is installed and on PATH; shell code needs a shell: lab run -- sh -c '...'"), codeNotFound)
	}
	return fault.Errorf(fault.ErrUnavailable, "run %s: %w", name, err)
}

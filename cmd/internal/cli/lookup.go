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

// lookUp returns the path of a program. It searches the directory bin before PATH. It finds
// the bundled kubectl even before that is in bin.
func lookUp(c *command, name, bin string) (string, error) {
	if filepath.Base(name) != name {
		path, err := exec.LookPath(name)
		return path, unusable(name, err)
	}
	failure := fs.ErrNotExist
	for _, dir := range append([]string{bin}, filepath.SplitList(os.Getenv("PATH"))...) {
		if dir == "" {
			continue
		}
		// A path, because LookPath would search for a name without one on PATH.
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

// unusable converts the error of a program that cannot be started to one with the exit code
// of `lab run`.
func unusable(name string, err error) error {
	switch {
	case err == nil:
		return nil
	case cannotExecute(err):
		err := fault.Errorf(fault.ErrInvalid, "cannot execute %s: %w", name, err)
		return ui.WithCode(fault.WithHint(err, "if it is a program, make it executable: chmod +x %s", fault.ShellWord(name)), codeNotExecutable)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, exec.ErrNotFound):
		err := fault.Errorf(fault.ErrNotFound, "program %q not found", name)
		return ui.WithCode(fault.WithHint(err, "install it, or add its directory to PATH; for shell code, run a shell: lab run -- sh -c '...'"), codeNotFound)
	}
	return fault.Errorf(fault.ErrUnavailable, "cannot run %s: %w", name, err)
}

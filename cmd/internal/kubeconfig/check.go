package kubeconfig

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Check returns everything that would keep Merge from adding entries with these names, as one
// error with the commands that fix it. It writes nothing and takes less than a second. Entries
// that Remove would remove for context and identity are no problem, because they will be gone;
// both may be "", and names zero.
func (f Files) Check(names providers.Entries, context, identity string) error {
	if len(f.Paths) == 0 {
		return f.noPlace()
	}
	docs, _ := f.read(nil)
	d := docs.written()
	problems := docs.clash(names, parseIdentity(identity, context))
	for _, each := range docs {
		problems = append(problems, each.err)
	}
	problems = append(problems, editable(d.path), d.frozen)
	// A lock that is in use is gone by now, because read waits for that.
	if info, err := os.Stat(lockName(d.path)); err == nil && !inUse(info) {
		problems = append(problems, stale(d.path, info))
	}
	return join(problems...)
}

// join returns the errors as one, whose hint has the hint of each on a separate line. An error that
// was found twice is in it once. It returns a single error as it is, because the depth of an error
// decides the exit code.
func join(errs ...error) error {
	said := map[string]bool{}
	errs = slices.DeleteFunc(errs, func(err error) bool {
		if err == nil || said[err.Error()] {
			return true
		}
		said[err.Error()] = true
		return false
	})
	if len(errs) == 1 {
		return errs[0]
	}
	var hints []string
	for _, err := range errs {
		if hint := fault.HintOf(err); hint != "" {
			hints = append(hints, hint)
		}
	}
	return fault.WithHint(errors.Join(errs...), "%s", strings.Join(hints, "\n"))
}

// noPlace is the error where there is no file for a kubeconfig.
func (f Files) noPlace() error {
	err := fault.Errorf(fault.ErrInvalid, "no kubeconfig: neither KUBECONFIG nor HOME is set")
	if f.unnamed != "" {
		err = fault.Errorf(fault.ErrInvalid, "no kubeconfig: KUBECONFIG=%q names no file", f.unnamed)
	}
	return fault.WithHint(err, "export KUBECONFIG=FILE")
}

// editable returns why the file at path, or its lock, cannot be written. Neither must exist.
func editable(path string) error {
	info, err := os.Stat(path)
	end := target(path)
	_, noDir := os.Stat(filepath.Dir(end))
	switch {
	case err == nil && !info.Mode().IsRegular():
		err := fault.Errorf(fault.ErrInvalid, "the kubeconfig %s is not a regular file", path)
		return fault.WithHint(err, "use a file: export KUBECONFIG=FILE")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return unusable("read", path, err)
	case end != path && errors.Is(noDir, fs.ErrNotExist):
		err := fault.Errorf(fault.ErrUnavailable, "the kubeconfig %s is a symbolic link to %s, whose directory does not exist", path, end)
		return fault.WithHint(err, "create the directory: mkdir -p %s; or remove the link: rm %s", fault.ShellWord(filepath.Dir(end)), fault.ShellWord(path))
	}
	var problems []error
	switch {
	case err != nil: // it does not exist
	case info.Mode().Perm()&0o222 == 0:
		// Its owner does not want it changed, although a rename could replace it.
		err := fault.Errorf(fault.ErrUnavailable, "the kubeconfig %s is read-only", path)
		problems = append(problems, fault.WithHint(err, "chmod u+w %s", fault.ShellWord(path)))
	default:
		problems = append(problems, unusable("write", path, atomicfile.Writable(path)))
	}
	for _, dir := range slices.Compact([]string{filepath.Dir(path), filepath.Dir(end)}) {
		problems = append(problems, unusable("write", path, atomicfile.Writable(dir)))
	}
	return join(problems...)
}

// stale is the error of a lock that is not removed.
func stale(path string, info fs.FileInfo) error {
	name, age := lockName(path), time.Since(info.ModTime()).Round(time.Second)
	err := fault.Errorf(fault.ErrUnavailable, "cannot lock the kubeconfig %s: another program has held %s for %v", path, name, age)
	return fault.WithHint(err, "if no program is editing it, a killed program left the lock: rm %s", fault.ShellWord(name))
}

// unusable is the error of a file operation, and nil where that had none.
func unusable(verb, path string, err error) error {
	if err == nil {
		return nil
	}
	home, _ := os.UserHomeDir() // "": Fix then proposes no chown
	fix := cmp.Or(atomicfile.Fix(err, home), "ls -ld "+fault.ShellWord(path))
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		fix = fmt.Sprintf("free some space: df -h %s", fault.ShellWord(filepath.Dir(path)))
	}
	err = fault.Errorf(fault.ErrUnavailable, "cannot %s the kubeconfig %s: %w", verb, path, err)
	return fault.WithHint(err, "%s; or use another file: export KUBECONFIG=FILE", fix)
}

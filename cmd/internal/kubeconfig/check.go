package kubeconfig

import (
	"cmp"
	"context"
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
// error with the commands that fix it. It writes nothing and takes less than a second, unless
// another program holds a lock: it then waits as Merge does. Entries that Remove would remove for
// contextName and identity are no problem, because they will be gone; both may be "", and names
// zero.
func (f Files) Check(ctx context.Context, names providers.Entries, contextName, identity string) error {
	if len(f.Paths) == 0 {
		return f.noPlace()
	}
	locked := map[string]error{}
	for _, path := range f.Paths {
		locked[path] = f.unlocked(ctx, path)
	}
	docs, _ := f.read(nil)
	d := docs.written()
	problems := docs.clash(names, parseIdentity(identity, contextName))
	for _, each := range docs {
		problems = append(problems, each.err)
	}
	return join(append(problems, editable(d.path), d.frozen, locked[d.path])...)
}

// Clash returns ErrExists where the files have entries with these names that Remove would not remove
// for contextName and identity.
func (f Files) Clash(names providers.Entries, contextName, identity string) error {
	docs, _ := f.read(nil)
	return join(docs.clash(names, parseIdentity(identity, contextName))...)
}

// unlocked waits until the lock that the file has now is gone, and returns ErrUnavailable where it
// is older than Patience. A program that edits the file may be slow on a busy machine; one that was
// killed leaves its lock for ever.
func (f Files) unlocked(ctx context.Context, path string) error {
	patience := cmp.Or(f.Patience, defaultPatience)
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	first, _ := os.Stat(lockName(path))
	for since := time.Now(); ; {
		info, err := os.Stat(lockName(path))
		if err != nil || !unchanged(first, info) {
			return nil
		}
		if time.Since(info.ModTime()) > patience || time.Since(since) > patience {
			return stale(path, info)
		}
		select {
		case <-ctx.Done():
			return waiting(path, ctx.Err())
		case <-tick.C:
		}
	}
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

// waiting is the error of a wait for a lock that ended with err.
func waiting(path string, err error) error {
	return fmt.Errorf("waiting for the lock of the kubeconfig %s: %w", path, err)
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

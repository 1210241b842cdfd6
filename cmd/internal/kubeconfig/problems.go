package kubeconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/atomicfile"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// freshLock is how long another program may hold a lock before Check reports it. Those
// that edit kubeconfigs hold theirs for milliseconds.
const freshLock = 500 * time.Millisecond

// Check returns everything that would keep Merge from adding entries with these names, as
// one error with the commands that fix it. It writes nothing and takes less than a second.
// Entries that Remove would remove for context and identity are no problem, because they
// will be gone; both may be "", and names zero.
func (f Files) Check(names providers.Entries, context, identity string) error {
	if len(f.Paths) == 0 {
		return noPlace()
	}
	docs, err := f.read(nil)
	problems := []error{err}
	path := f.writePath()
	problems = append(problems, placeProblems(path)...)
	problems = append(problems, lockProblem(path))
	for _, d := range docs {
		if d.path == path && d.frozen != nil {
			problems = append(problems, d.frozen)
		}
		problems = append(problems, d.clash(names, newRemoval(context, identity), docs))
	}
	return join(problems)
}

// join returns the errors as one, whose hint has the hint of each on a line of its own.
func join(errs []error) error {
	var texts, hints []string
	var all []error
	for _, err := range errs {
		if err == nil {
			continue
		}
		all = append(all, err)
		texts = append(texts, err.Error())
		if hint := fault.HintOf(err); hint != "" {
			hints = append(hints, hint)
		}
	}
	if len(all) < 2 {
		return errors.Join(all...)
	}
	return fault.WithHint(&problemsError{strings.Join(texts, "\n"), all}, "%s", strings.Join(hints, "\n"))
}

type problemsError struct {
	text string
	all  []error
}

func (p *problemsError) Error() string   { return p.text }
func (p *problemsError) Unwrap() []error { return p.all }

// noPlace is the error where there is neither $KUBECONFIG nor a home directory.
func noPlace() error {
	err := fault.Errorf(fault.ErrInvalid, "no kubeconfig: neither KUBECONFIG nor HOME is set")
	return fault.WithHint(err, "export KUBECONFIG=FILE")
}

// placeProblems returns why the file at path cannot be written: because of itself, or of the
// directory of its lock, or of the one that it is in.
func placeProblems(path string) []error {
	problems := []error{editable(path)}
	end := target(path)
	if _, err := os.Stat(filepath.Dir(end)); end != path && errors.Is(err, fs.ErrNotExist) {
		err := fault.Errorf(fault.ErrUnavailable, "the kubeconfig %s is a symbolic link to %s, whose directory does not exist", path, end)
		return append(problems, fault.WithHint(err, "create the directory: mkdir -p %s; or remove the link: rm %s", fault.ShellWord(filepath.Dir(end)), fault.ShellWord(path)))
	}
	for _, dir := range slices.Compact([]string{filepath.Dir(path), filepath.Dir(end)}) {
		// What editable says of a directory that is a file is enough.
		if err := atomicfile.Writable(dir); err != nil && (problems[0] == nil || !errors.Is(err, syscall.ENOTDIR)) {
			problems = append(problems, unusable("write", path, err))
		}
	}
	return problems
}

// lockProblem returns an error where the lock of path stays, which is that of a program
// that was killed.
func lockProblem(path string) error {
	name := lockName(path)
	first, err := os.Stat(name)
	if err != nil {
		return nil
	}
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for age := time.Since(first.ModTime()); age >= 0 && age < freshLock; age = time.Since(first.ModTime()) {
		<-tick.C
		now, err := os.Stat(name)
		if err != nil || !os.SameFile(first, now) || !now.ModTime().Equal(first.ModTime()) {
			return nil // whoever holds it is at work
		}
	}
	return stale(path, first)
}

// stale is the error of a lock that does not go away.
func stale(path string, info fs.FileInfo) error {
	name := lockName(path)
	age := time.Since(info.ModTime()).Round(time.Second)
	err := fault.Errorf(fault.ErrUnavailable, "cannot lock the kubeconfig %s: another program has held %s for %v", path, name, age)
	return fault.WithHint(err, "if no program is editing it, a killed program left the lock: rm %s", fault.ShellWord(name))
}

// editable returns why the file at path cannot be edited. A file that does not exist can.
func editable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return unusable("read", path, err)
	case !info.Mode().IsRegular():
		err := fault.Errorf(fault.ErrInvalid, "the kubeconfig %s is not a regular file", path)
		return fault.WithHint(err, "use a file: export KUBECONFIG=FILE")
	case info.Mode().Perm()&0o222 == 0:
		// A rename would replace it all the same, against its owner's will.
		err := fault.Errorf(fault.ErrUnavailable, "the kubeconfig %s is read-only", path)
		return fault.WithHint(err, "chmod u+w %s", fault.ShellWord(path))
	}
	if err := atomicfile.Writable(path); err != nil {
		return unusable("write", path, err)
	}
	return nil
}

// unusable is the error of a file operation.
func unusable(verb, path string, err error) error {
	failed := fault.Errorf(fault.ErrUnavailable, "cannot %s the kubeconfig %s: %w", verb, path, err)
	home, _ := os.UserHomeDir() // "": Fix then proposes no chown
	fix := atomicfile.Fix(err, home)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		fix = fmt.Sprintf("free some space: df -h %s", fault.ShellWord(filepath.Dir(path)))
	}
	if fix == "" {
		fix = "ls -ld " + fault.ShellWord(path)
	}
	return fault.WithHint(failed, "%s; or use another file: export KUBECONFIG=FILE", fix)
}

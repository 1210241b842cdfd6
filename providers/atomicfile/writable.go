package atomicfile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Writable returns nil where this process may write to the file or directory at path, or
// create it. Its errors are those of the operating system. It changes nothing.
func Writable(path string) error {
	for {
		_, err := os.Stat(path)
		if !errors.Is(err, fs.ErrNotExist) || filepath.Dir(path) == path {
			break
		}
		path = filepath.Dir(path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return access(path)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// Fix returns the command that lets this user write the file or directory that err, an error
// of the operating system, is about, or "" if no command is known. A file of root is given
// to the user only below one of dirs, where sudo may have created it.
func Fix(err error, dirs ...string) string {
	at, ok := errors.AsType[*fs.PathError](err)
	if !ok || !errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return ""
	}
	// If the file does not exist, the directory is not writable.
	path := at.Path
	info, statErr := os.Stat(path)
	for errors.Is(statErr, fs.ErrNotExist) && filepath.Dir(path) != path {
		path = filepath.Dir(path)
		info, statErr = os.Stat(path)
	}
	if statErr != nil {
		return ""
	}
	home, _ := os.UserHomeDir()
	switch owner := ownerOf(info); {
	case path == home:
		return "" // it has more than files of lab
	case owner == os.Geteuid() && errors.Is(err, syscall.EPERM) && runtime.GOOS == "linux":
		return "sudo chattr -i " + fault.ShellWord(path) // the mode does not matter: the file is immutable
	case owner == os.Geteuid():
		return "chmod u+w " + fault.ShellWord(path)
	case owner == 0 && slices.ContainsFunc(dirs, func(dir string) bool { return below(path, dir) }):
		command := "sudo chown"
		if info.IsDir() {
			command += " -R"
		}
		return fmt.Sprintf("%s %d:%d %s", command, os.Getuid(), os.Getgid(), fault.ShellWord(path))
	}
	return ""
}

// Unavailable returns ErrUnavailable for an error of the operating system about files of lab in dir, with a hint that
// fixes it. verb and what say what failed, such as "write" and "the snapshots".
func Unavailable(err error, verb, what, dir string) error {
	for _, disk := range []error{syscall.ENOSPC, syscall.EROFS} {
		if errors.Is(err, disk) {
			err = disk // without the name of a temporary file
		}
	}
	home, _ := os.UserHomeDir()
	fix := cmp.Or(Fix(err, dir, home), fmt.Sprintf("make %s a writable directory on a disk with free space", dir))
	err = fault.Errorf(fault.ErrUnavailable, "cannot %s %s in %s: %w", verb, what, dir, err)
	return fault.WithHint(err, "%s; or use another directory: export LAB_HOME=DIR", fix)
}

// RemoveEmpty removes directories of lab, from the innermost, up to the first that is not empty.
func RemoveEmpty(dirs ...string) {
	for _, dir := range dirs {
		// A link, for example to a larger disk, is the user's.
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() || os.Remove(dir) != nil {
			return
		}
	}
}

func below(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && dir != "" && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

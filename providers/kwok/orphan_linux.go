package kwok

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// deleted is what the kernel appends to the path of a deleted file.
const deleted = " (deleted)"

// orphans returns the engines whose lock was deleted, alone or with the directory of the cluster: their
// process IDs by the names of the directories in root. An engine notices the removal and ends, but one that
// hangs does not.
//
// A process is such an engine only if it works in the directory and still holds the lock of it. Processes
// of other users cannot be inspected and are skipped.
func orphans(root string) map[string]int {
	root = realPath(root)
	found := map[string]int{}
	processes, _ := os.ReadDir("/proc")
	for _, entry := range processes {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		process := filepath.Join("/proc", entry.Name())
		path, err := os.Readlink(filepath.Join(process, "cwd"))
		dir := strings.TrimSuffix(path, deleted)
		if err == nil && filepath.Dir(dir) == root && holdsDeleted(process, pid, filepath.Join(dir, lockFile)) {
			found[filepath.Base(dir)] = pid
		}
	}
	return found
}

// holdsDeleted reports whether a process holds the lock on the deleted file that was at path. process is its
// directory in /proc, through which the kernel still opens that file.
func holdsDeleted(process string, pid int, path string) bool {
	files, _ := filepath.Glob(filepath.Join(process, "fd", "*"))
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil && target == path+deleted {
			holder, err := holderOf(file)
			return err == nil && holder == pid
		}
	}
	return false
}

// realPath resolves the symbolic links in path, whose last elements may not exist.
func realPath(path string) string {
	parent, name := filepath.Split(filepath.Clean(path))
	if real, err := filepath.EvalSymlinks(path); err == nil || name == "" {
		return real
	}
	return filepath.Join(realPath(parent), name)
}

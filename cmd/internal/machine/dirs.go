package machine

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Dirs are the directories in which lab keeps its files. A directory is created when lab first
// writes to it.
type Dirs struct {
	State  string // records and data of clusters
	Cache  string // files that can be fetched again
	Config string // the user's configuration
	Bin    string // programs that lab installed
	Home   string // the user's home directory
}

// FindDirs returns the directories: all below $LAB_HOME if it is set, else those of the XDG Base
// Directory Specification, on every system. It returns ErrInvalid if the user's home directory is
// needed and unknown, and if the path of the state directory has the character that separates the
// files of $KUBECONFIG: kubectl would then not find the cluster's file, and would use another one.
func FindDirs(getenv func(string) string) (Dirs, error) {
	dirs := Dirs{Home: cmp.Or(getenv("HOME"), getenv("USERPROFILE"))}
	if root := getenv("LAB_HOME"); root != "" {
		root, err := filepath.Abs(root)
		if err != nil {
			return Dirs{}, err
		}
		dirs.State, dirs.Cache, dirs.Config = filepath.Join(root, "state"), filepath.Join(root, "cache"), filepath.Join(root, "config")
		dirs.Bin = filepath.Join(root, "bin")
		return dirs, separable(dirs.State)
	}
	homeless := false
	xdg := func(variable string, standard ...string) string {
		base := getenv(variable)
		if !filepath.IsAbs(base) { // the specification says to ignore relative paths
			homeless = homeless || dirs.Home == ""
			base = filepath.Join(append([]string{dirs.Home}, standard...)...)
		}
		return filepath.Join(base, "lab")
	}
	dirs.State, dirs.Cache, dirs.Config = xdg("XDG_STATE_HOME", ".local", "state"), xdg("XDG_CACHE_HOME", ".cache"), xdg("XDG_CONFIG_HOME", ".config")
	dirs.Bin = filepath.Join(dirs.State, "bin")
	if homeless {
		err := fault.Errorf(fault.ErrInvalid, "no directory for lab's files: HOME is not set")
		return Dirs{}, fault.WithHint(err, "name a directory: export LAB_HOME=DIR")
	}
	return dirs, separable(dirs.State)
}

// separable returns ErrInvalid if a file below dir cannot be one of several in $KUBECONFIG.
func separable(dir string) error {
	separator := string(os.PathListSeparator)
	if !strings.Contains(dir, separator) {
		return nil
	}
	err := fault.Errorf(fault.ErrInvalid, "lab cannot keep its files in %s: kubectl splits KUBECONFIG at each %q", dir, separator)
	return fault.WithHint(err, "name a directory without it: export LAB_HOME=DIR")
}

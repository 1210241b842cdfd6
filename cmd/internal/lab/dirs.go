package lab

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Dirs are the directories in which lab keeps things. None is made before something
// is written to it.
type Dirs struct {
	State  string // what lab remembers of clusters, and their data
	Cache  string // what can be had again
	Config string // the user's configuration
	Bin    string // programs that lab installed
	Home   string // the user's own
}

// FindDirs returns the directories: all below $LAB_HOME where it is set, else where
// the XDG Base Directory Specification puts them, on every system alike. It returns
// ErrInvalid where the user's home directory is needed and unknown, and where the state
// directory has the character that separates the files of $KUBECONFIG: kubectl would then
// miss the cluster's own file, and talk to whatever it finds instead.
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
		if !filepath.IsAbs(base) { // which the specification says to ignore
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

// separable returns ErrInvalid where a file below dir cannot be one of several in $KUBECONFIG.
func separable(dir string) error {
	separator := string(os.PathListSeparator)
	if !strings.Contains(dir, separator) {
		return nil
	}
	err := fault.Errorf(fault.ErrInvalid, "lab cannot keep its files in %s: kubectl splits KUBECONFIG at each %q", dir, separator)
	return fault.WithHint(err, "name a directory without it: export LAB_HOME=DIR")
}

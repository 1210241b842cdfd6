package lab

import (
	"cmp"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers"
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
// ErrInvalid where the user's home directory is needed and unknown.
func FindDirs(getenv func(string) string) (Dirs, error) {
	home := cmp.Or(getenv("HOME"), getenv("USERPROFILE"))
	if root := getenv("LAB_HOME"); root != "" {
		root, err := filepath.Abs(root)
		return Dirs{
			State: filepath.Join(root, "state"), Cache: filepath.Join(root, "cache"),
			Config: filepath.Join(root, "config"), Bin: filepath.Join(root, "bin"), Home: home,
		}, err
	}
	if home == "" {
		err := providers.Errorf(providers.ErrInvalid, "there is no home directory to keep things in")
		return Dirs{}, providers.WithHint(err, "name a directory: export LAB_HOME=DIR")
	}
	xdg := func(variable string, standard ...string) string {
		base := getenv(variable)
		if !filepath.IsAbs(base) { // which the specification says to ignore
			base = filepath.Join(append([]string{home}, standard...)...)
		}
		return filepath.Join(base, "lab")
	}
	state := xdg("XDG_STATE_HOME", ".local", "state")
	return Dirs{
		State: state, Cache: xdg("XDG_CACHE_HOME", ".cache"), Config: xdg("XDG_CONFIG_HOME", ".config"),
		Bin: filepath.Join(state, "bin"), Home: home,
	}, nil
}

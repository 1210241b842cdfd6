//go:build e2e

package e2e

import (
	"errors"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// leaks returns the objects of the engine whose name contains the name of a cluster. Other tests may use the engine
// at the same time.
func leaks(t *testing.T, name string) []string {
	t.Helper()
	var left []string
	for object := range engineObjects(t) {
		if strings.Contains(object, name) {
			left = append(left, object)
		}
	}
	return left
}

// goneWithin is how long unknown objects may exist in the engine. Another run of these tests may create and delete
// objects; leftovers stay.
const goneWithin = 20 * time.Second

// requireNoLeak fails the test if, at its end, the engine has a container, network or volume that it did not have
// before. kind's shared network stays, because other kind clusters use it. Objects with the name of another test's
// cluster are ignored, and those with names that lab chose: the tests of commands that choose names, and of image
// caches, check them by name.
func requireNoLeak(t *testing.T, name string) {
	t.Helper()
	before := engineObjects(t)
	requireGone(t, func() (left []string) {
		for object := range engineObjects(t) {
			others := strings.Contains(object, session.Prefix) && !strings.Contains(object, name)
			id, volume := strings.CutPrefix(object, "volume ")
			others = others || chosenNames().MatchString(object)
			others = others || volume && len(id) == 64 && !danglingVolumes(t)[id] // of an existing container
			if !before[object] && !others && object != "network kind" {
				left = append(left, object)
			}
		}
		return left
	})
}

// chosenNames matches the names of clusters and image caches that lab chooses itself.
func chosenNames() *regexp.Regexp {
	return regexp.MustCompile(`run-[a-z0-9]{10}|lab-cache-[0-9a-f]{8}`)
}

// requireNoAnonymousVolume fails the test if, at its end, the engine has new volumes without a name and without a
// container.
func requireNoAnonymousVolume(t *testing.T) {
	t.Helper()
	before := danglingVolumes(t)
	requireGone(t, func() (left []string) {
		for volume := range danglingVolumes(t) {
			if !before[volume] {
				left = append(left, "volume "+volume)
			}
		}
		return left
	})
}

// requireGone fails the test if, at its end, left returns objects that stay for goneWithin.
func requireGone(t *testing.T, left func() []string) {
	t.Cleanup(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		there := left()
		for deadline := time.Now().Add(goneWithin); len(there) > 0 && time.Now().Before(deadline); <-tick.C {
			now := left()
			there = slices.DeleteFunc(there, func(object string) bool { return !slices.Contains(now, object) })
		}
		for _, object := range there {
			t.Errorf("left behind: %s", object)
		}
	})
}

func danglingVolumes(t *testing.T) map[string]bool {
	t.Helper()
	volumes := map[string]bool{}
	for name := range strings.FieldsSeq(docker(t, "volume", "ls", "--filter=dangling=true", "--format={{.Name}}")) {
		if len(name) == 64 {
			volumes[name] = true
		}
	}
	return volumes
}

// filesBelow returns a directory and everything below it; nothing if it does not exist.
func filesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	return paths
}

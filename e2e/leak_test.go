//go:build e2e

package e2e

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// leaks returns what the engine has that bears the name of a cluster. It can be asked while others use the engine.
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

// goneWithin is how long the engine may have what a test did not make: another run of these tests may be at work, whose
// own things come and go. What was left behind stays.
const goneWithin = 20 * time.Second

// requireNoLeak fails the test if, when all else of it has ended, the engine has a container, network or volume that
// it did not have before. kind's shared network is left by design: other kind clusters use it. What bears the name of
// another test's cluster is for that test to find.
func requireNoLeak(t *testing.T, name string) {
	t.Helper()
	before := engineObjects(t)
	requireGone(t, func() (left []string) {
		for object := range engineObjects(t) {
			others := strings.Contains(object, session.Prefix) && !strings.Contains(object, name)
			id, volume := strings.CutPrefix(object, "volume ")
			others = others || volume && len(id) == 64 && !danglingVolumes(t)[id] // a container's that is there
			if !before[object] && !others && object != "network kind" {
				left = append(left, object)
			}
		}
		return left
	})
}

// requireNoAnonymousVolume fails the test if, when all else of it has ended, there are volumes without a name and
// without a container that were not there before.
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

// requireGone fails the test if, when all else of it has ended, there is something that was left then, and stays.
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

// filesBelow returns what is in a directory, and the directory itself; nothing where it is not there.
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

//go:build e2e

package e2e

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
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

// requireNoAnonymousVolume fails the test if, when all else of it has ended, there are volumes without a name and
// without a container that were not there before.
func requireNoAnonymousVolume(t *testing.T) {
	t.Helper()
	before := danglingVolumes(t)
	t.Cleanup(func() {
		for volume := range danglingVolumes(t) {
			if !before[volume] {
				t.Errorf("left behind: volume %s", volume)
			}
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

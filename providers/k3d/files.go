package k3d

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	k3d "github.com/k3d-io/k3d/v5/pkg/types"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// clockSkew is how far the clock of an engine in a virtual machine may be ahead of this
// machine's.
const clockSkew = time.Minute

// removeHostsFiles removes the copies of its nodes' /etc/hosts that k3d leaves among the
// system's temporary files. A copy belongs to a node whose name it contains, which is unique on
// this engine, and is not older than that node: an older one may belong to another cluster of
// the name.
func removeHostsFiles(nodes []docker.Container) {
	paths, _ := filepath.Glob(filepath.Join(os.TempDir(), "k3d-hostsfile-*"))
	for _, path := range paths {
		info, err := os.Lstat(path)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			continue // another user's
		}
		words := strings.Fields(string(text))
		if slices.ContainsFunc(nodes, func(c docker.Container) bool {
			return slices.Contains(words, c.Name) && info.ModTime().Add(clockSkew).After(c.Created)
		}) {
			_ = os.Remove(path) // nothing depends on it
		}
	}
}

// removeMemoryFiles removes the directories in the user's configuration in which k3d keeps the
// simulated memory size of nodes with limited memory.
func removeMemoryFiles(found []docker.Container) error {
	dir, own := os.Getenv("XDG_CONFIG_HOME"), false
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil // k3d had none either
		}
		dir, own = filepath.Join(home, k3d.DefaultConfigDirName), true
	}
	for _, c := range found {
		// The name of a cluster that lab did not make may be a path.
		if providers.ValidateName(c.Config.Labels[k3d.LabelClusterName]) != nil || c.Name != filepath.Base(c.Name) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, "."+c.Name)); err != nil {
			return err
		}
	}
	if own {
		_ = os.Remove(dir) // fails if it is not empty
	}
	return nil
}

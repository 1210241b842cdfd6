package kwok

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/scratch"
)

// Files that identify the directory of a cluster.
const (
	configFile = "engine.json"
	lockFile   = "lock"
)

// claim creates the directory of a new cluster. It returns ErrExists if the directory exists.
func (p *Provider) claim(config engineConfig) error {
	dir := p.dir(config.Name)
	err := scratch.Make(dir)
	if errors.Is(err, fs.ErrExist) {
		return fault.Errorf(fault.ErrExists, "%s already exists", dir)
	}
	if err != nil {
		return cannotWrite(p.opts.Dir, err)
	}
	text, err := json.MarshalIndent(config, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, configFile), append(text, '\n'), 0o600)
	}
	if err != nil {
		return errors.Join(cannotWrite(p.opts.Dir, err), scratch.Remove(dir))
	}
	return nil
}

// readConfig returns the configuration that claim wrote into dir.
func readConfig(dir string) (engineConfig, error) {
	text, err := os.ReadFile(filepath.Join(dir, configFile))
	var config engineConfig
	if err == nil {
		err = json.Unmarshal(text, &config)
	}
	return config, err
}

// nodeNames returns the names of the nodes that the engine creates, see PROTOCOL.md.
func nodeNames(c engineConfig) []string {
	names := []string{c.ControlPlane}
	for i := 1; i <= c.Workers; i++ {
		name := cmp.Or(c.NodePrefix, c.Name) + "-worker"
		if i > 1 {
			name += strconv.Itoa(i)
		}
		names = append(names, name)
	}
	return names
}

// identify returns the cluster in dir with its name, ID, mark and nodes.
func identify(dir, name string) providers.Cluster {
	c := providers.Cluster{Name: name, Provider: Name, ID: idOf(dir)}
	config, err := readConfig(dir)
	if err == nil {
		c.Mark, c.Nodes = config.Mark, nodeNames(config)
		return c
	}
	// If lab was killed while it wrote the configuration, the directory contains nothing else.
	entries, unreadable := os.ReadDir(dir)
	other := func(e fs.DirEntry) bool { return e.Name() != configFile }
	if c.Bare = unreadable == nil && !slices.ContainsFunc(entries, other); !c.Bare {
		c.Unread, c.Reason = true, err.Error()
	}
	return c
}

// find returns the directory of the cluster ref. It returns ErrNotFound if the directory does not
// exist, ErrForeign if this package did not create it, and the errors of [providers.Ref.Check].
func (p *Provider) find(ref providers.Ref) (dir string, err error) {
	if err := providers.ValidateName(ref.Name); err != nil {
		return "", err // an invalid name may be a path out of the directory
	}
	dir = p.dir(ref.Name)
	if _, err := os.Lstat(dir); err != nil {
		if pid, _ := holder(dir); pid != 0 {
			return "", fault.WithHint(fault.Errorf(fault.ErrNotFound, "%s", orphan(ref.Name, pid).Reason),
				"lab up %s recreates the cluster; lab down %s ends the process", ref.Name, ref.Name)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return "", fault.Errorf(fault.ErrNotFound, "there is no kwok cluster %q", ref.Name)
		}
		return "", err
	}
	if !isCluster(dir) {
		return "", fault.WithHint(
			fault.Errorf(fault.ErrForeign, "%s is not the directory of a cluster: it has no %s", dir, configFile),
			"move it away: mv %s %s", fault.ShellWord(dir), fault.ShellWord(dir+".old"))
	}
	return dir, ref.Check(identify(dir, ref.Name))
}

// isCluster reports whether claim created dir: it contains a file of a cluster, or nothing, because
// lab may have been killed before it wrote the configuration.
func isCluster(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return errors.Is(err, fs.ErrPermission) // the caller then fails to identify it
	}
	own := []string{configFile, statusFile, lockFile, "kubeconfig", "pki", "etcd"}
	return len(entries) == 0 || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return slices.Contains(own, e.Name()) })
}

// Delete kills the engine and removes the directory. It does not shut the engine down in order, because
// that would only save data that Delete removes.
func (p *Provider) Delete(ctx context.Context, ref providers.Ref) error {
	dir, err := p.find(ref)
	leftovers := p.leftovers(ref.Name)
	if errors.Is(err, fault.ErrNotFound) {
		pid, _ := holder(p.dir(ref.Name)) // destroy reports the error
		left := destroy(ctx, append(leftovers, p.dir(ref.Name))...)
		if pid != 0 || len(leftovers) > 0 { // another program deleted the directory, or a Delete was interrupted
			return left
		}
		return cmp.Or(left, err)
	}
	if err != nil {
		return err
	}
	if err := end(ctx, dir, 0); err != nil {
		return err
	}
	return errors.Join(p.discard(ctx, ref.Name), destroy(ctx, leftovers...))
}

// discard removes a cluster whose engine has ended. It renames the directory first, so that a partly
// removed cluster does not look complete.
func (p *Provider) discard(ctx context.Context, name string) error {
	trash := p.dir("." + name + ".deleted-" + rand.Text())
	if err := os.Rename(p.dir(name), trash); err != nil {
		return cannotWrite(p.opts.Dir, err)
	}
	return destroy(ctx, trash)
}

// destroy removes directories that discard renamed. It also ends an engine that was started in the
// meantime. With the last cluster, it removes the directory of all clusters.
func destroy(ctx context.Context, trash ...string) error {
	var errs []error
	for _, dir := range trash {
		err := end(ctx, dir, 0)
		if err == nil {
			err = scratch.Remove(dir)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// leftovers returns the directories that interrupted calls of discard left, of the cluster name or, if
// it is "*", of all.
func (p *Provider) leftovers(name string) []string {
	// The pattern is valid, and an unreadable directory cannot be cleaned up here.
	paths, _ := fs.Glob(os.DirFS(p.opts.Dir), "."+name+".deleted-*")
	for i, path := range paths {
		paths[i] = p.dir(path)
	}
	return paths
}

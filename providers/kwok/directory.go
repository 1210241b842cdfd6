package kwok

import (
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

// The files of a cluster that tell what its directory is.
const (
	configFile = "engine.json"
	lockFile   = "lock"
)

// claim makes the directory of a new cluster, or returns ErrExists.
func (p *Provider) claim(config engineConfig) error {
	dir := p.dir(config.Name)
	err := scratch.Make(dir)
	if errors.Is(err, fs.ErrExist) {
		return fault.Errorf(fault.ErrExists, "%s is there already", dir)
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

// readConfig returns what claim wrote into dir.
func readConfig(dir string) (engineConfig, error) {
	text, err := os.ReadFile(filepath.Join(dir, configFile))
	var config engineConfig
	if err == nil {
		err = json.Unmarshal(text, &config)
	}
	return config, err
}

// nodeNames returns the names of the nodes that the engine creates, as PROTOCOL.md says.
func nodeNames(c engineConfig) []string {
	names := []string{c.ControlPlane}
	for i := 1; i <= c.Workers; i++ {
		name := c.Name + "-worker"
		if i > 1 {
			name += strconv.Itoa(i)
		}
		names = append(names, name)
	}
	return names
}

// identify returns what tells whose the cluster in dir is.
func identify(dir, name string) providers.Cluster {
	c := providers.Cluster{Name: name, Provider: Name, ID: idOf(dir)}
	config, err := readConfig(dir)
	if err == nil {
		c.Mark, c.Nodes = config.Mark, nodeNames(config)
		return c
	}
	// A lab that was killed while it wrote the configuration left nothing else, and no engine.
	entries, unreadable := os.ReadDir(dir)
	other := func(e fs.DirEntry) bool { return e.Name() != configFile }
	if c.Bare = unreadable == nil && !slices.ContainsFunc(entries, other); !c.Bare {
		c.Unread, c.Reason = true, err.Error()
	}
	return c
}

// find returns the directory of ref's cluster. It returns ErrNotFound where there is
// none, ErrForeign where what lies there was not made by this package, and the errors of
// [providers.Ref.Check].
func (p *Provider) find(ref providers.Ref) (dir string, err error) {
	if err := providers.ValidateName(ref.Name); err != nil {
		return "", err // it might be a path that leads elsewhere
	}
	dir = p.dir(ref.Name)
	if _, err := os.Lstat(dir); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return "", fault.Errorf(fault.ErrNotFound, "no kwok cluster is called %q", ref.Name)
		}
		return "", err
	}
	if !isCluster(dir) {
		return "", fault.WithHint(
			fault.Errorf(fault.ErrForeign, "%s is not the directory of a cluster: it has no %s", dir, configFile),
			"move it elsewhere")
	}
	return dir, ref.Check(identify(dir, ref.Name))
}

// isCluster tells whether dir was made by claim: it holds a configuration or another of
// an engine's own files, or nothing at all, since lab may have been killed before it wrote
// one.
func isCluster(dir string) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return errors.Is(err, fs.ErrPermission) // whose it is will turn out
	}
	own := []string{configFile, statusFile, lockFile, "kubeconfig", "pki", "etcd"}
	return len(entries) == 0 || slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return slices.Contains(own, e.Name()) })
}

// Delete kills the engine and removes the directory. An order to shut down would
// only cost time: it would save data that are about to be removed.
func (p *Provider) Delete(ctx context.Context, ref providers.Ref) error {
	dir, err := p.find(ref)
	leftovers := p.leftovers(ref.Name)
	if errors.Is(err, fault.ErrNotFound) && len(leftovers) > 0 {
		return destroy(ctx, leftovers...) // what a Delete that was interrupted began
	}
	if err != nil {
		return err
	}
	if err := end(ctx, dir, 0); err != nil {
		return err
	}
	return errors.Join(p.discard(ctx, ref.Name), destroy(ctx, leftovers...))
}

// discard removes a cluster whose engine has ended. It renames the directory
// first, so that a half-removed cluster never looks like a whole one.
func (p *Provider) discard(ctx context.Context, name string) error {
	trash := p.dir("." + name + ".deleted-" + rand.Text())
	if err := os.Rename(p.dir(name), trash); err != nil {
		return cannotWrite(p.opts.Dir, err)
	}
	return destroy(ctx, trash)
}

// destroy removes directories that discard hid, and ends an engine that had been
// started at the very moment. With the last cluster the directory of all goes.
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

// leftovers are what interrupted calls of discard hid and did not remove, of the
// cluster of that name, or of all where it is "*".
func (p *Provider) leftovers(name string) []string {
	// The pattern is sound, and what cannot be read cannot be removed.
	paths, _ := fs.Glob(os.DirFS(p.opts.Dir), "."+name+".deleted-*")
	for i, path := range paths {
		paths[i] = p.dir(path)
	}
	return paths
}

// Package kubeconfig puts a cluster into the user's kubeconfig, and takes it out
// again so that nobody can tell it was there.
//
// The file is the user's: what lab did not write keeps its comments, order and
// quoting, a file that lab cannot read is never written, and entries of clusters
// that lab did not make are never touched.
package kubeconfig

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Files are the kubeconfig files of one person. The zero value of Patience means
// ten seconds.
type Files struct {
	Paths    []string      // what comes first wins, as in kubectl; none where the home directory is unknown
	Holders  []string      // the files that may hold the entries of a cluster; none: any may
	Patience time.Duration // how long to wait for other programs that edit them
}

// FromEnv returns the files that kubectl would use: those that $KUBECONFIG lists,
// else the one in the home directory. Their paths are absolute, so that they can be
// recorded. Without a home directory, there is no default: kubectl would use the working
// directory, in which nobody expects keys.
func FromEnv(getenv func(string) string, home string) Files {
	var f Files
	for _, path := range filepath.SplitList(getenv("KUBECONFIG")) {
		if path == "" {
			continue
		}
		if full, err := filepath.Abs(path); err == nil {
			path = full
		}
		if !slices.Contains(f.Paths, path) {
			f.Paths = append(f.Paths, path)
		}
	}
	if len(f.Paths) == 0 && home != "" {
		f.Paths = []string{filepath.Join(home, ".kube", "config")}
	}
	return f
}

// Current returns the name of the current context, or "". It returns ErrInvalid
// for a file that cannot be read.
func (f Files) Current() (string, error) {
	docs, err := f.read(nil)
	if err != nil {
		return "", err
	}
	return currentOf(docs), nil
}

// Use makes a context the current one. It returns ErrNotFound where no file has
// it, and otherwise the errors of Merge.
func (f Files) Use(ctx context.Context, context string) error {
	if len(f.Paths) == 0 {
		return noPlace()
	}
	return f.update(ctx, f.writePath(), func(d *document) error {
		docs, err := f.read(d)
		if err != nil {
			return err
		}
		if !defines(docs, context) {
			return fault.Errorf(fault.ErrNotFound, "the kubeconfig has no context %q", context)
		}
		d.setCurrent(context)
		return nil
	})
}

// writePath is the file for what is in none yet: the first that exists, else the
// last, as kubectl has it.
func (f Files) writePath() string {
	for _, path := range f.Paths {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return f.Paths[len(f.Paths)-1]
}

// source is a file that exists.
type source struct {
	path    string
	data    []byte
	err     error // why it cannot be read
	settled bool  // no program was writing it
}

// sources reads the files that exist, each once, whatever its names. Anything
// that is not a file, such as /dev/null or a pipe, counts as empty. The one at locked, which may be "",
// is not read: the caller has it.
func (f Files) sources(locked string) []source {
	var all []source
	var seen []fs.FileInfo
	for _, path := range f.Paths {
		info, err := os.Stat(path)
		same := func(other fs.FileInfo) bool { return os.SameFile(info, other) }
		if err == nil && (!info.Mode().IsRegular() || slices.ContainsFunc(seen, same)) {
			continue
		}
		seen = append(seen, info)
		s := source{path: path}
		if path != locked {
			s.data, s.settled, err = settled(path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			s.err = unusable("read", path, err)
		}
		all = append(all, s)
	}
	return all
}

// read returns the files that exist, with have in place of its own: the caller holds its
// lock. The error joins those of all files that cannot be read, and docs has the rest.
func (f Files) read(have *document) (docs []*document, err error) {
	var errs []error
	locked := ""
	if have != nil {
		locked = have.path
	}
	for _, s := range f.sources(locked) {
		if s.path == locked {
			docs = append(docs, have)
			continue
		}
		d, err := (*document)(nil), s.err
		if err == nil {
			d, err = parse(s.path, s.data)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		docs = append(docs, d)
	}
	return docs, join(errs)
}

func defines(docs []*document, context string) bool {
	return slices.ContainsFunc(docs, func(d *document) bool { return d.findContext(context) != nil })
}

func currentOf(docs []*document) string {
	for _, d := range docs {
		if current := d.current(); current != "" {
			return current
		}
	}
	return ""
}

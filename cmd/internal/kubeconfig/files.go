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

	"github.com/clusterlab-dev/lab/providers"
)

// Files are the kubeconfig files of one person. The zero value of Patience means
// ten seconds.
type Files struct {
	Paths    []string      // at least one; what comes first wins, as in kubectl
	Patience time.Duration // how long to wait for other programs that edit them
}

// FromEnv returns the files that kubectl would use: those that $KUBECONFIG lists,
// else the one in the home directory. Their paths are absolute, so that they can be
// recorded.
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
	if len(f.Paths) == 0 {
		f.Paths = []string{filepath.Join(home, ".kube", "config")}
	}
	return f
}

// Current returns the name of the current context, or "". It returns ErrInvalid
// for a file that cannot be read.
func (f Files) Current() (string, error) {
	docs, err := f.read()
	if err != nil {
		return "", err
	}
	return currentOf(docs), nil
}

// Check returns the error that Merge would, as far as can be known without writing:
// whoever is about to work for minutes can learn it beforehand.
func (f Files) Check() error {
	if _, err := f.read(); err != nil {
		return err
	}
	return editable(f.writePath())
}

// Use makes a context the current one. It returns ErrNotFound where no file has
// it, and otherwise the errors of Merge.
func (f Files) Use(ctx context.Context, context string) error {
	docs, err := f.read()
	if err != nil {
		return err
	}
	if !defines(docs, context) {
		return providers.Errorf(providers.ErrNotFound, "the kubeconfig has no context %q", context)
	}
	return f.update(ctx, f.writePath(), func(d *document) error {
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

// read returns the files that exist, each once, whatever its names. What is no
// file, such as /dev/null or a pipe, counts as empty.
func (f Files) read() ([]*document, error) {
	var docs []*document
	var seen []fs.FileInfo
	for _, path := range f.Paths {
		info, err := os.Stat(path)
		same := func(other fs.FileInfo) bool { return os.SameFile(info, other) }
		if err == nil && (!info.Mode().IsRegular() || slices.ContainsFunc(seen, same)) {
			continue
		}
		seen = append(seen, info)
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, unusable("read", path, err)
		}
		d, err := parse(path, data)
		if err != nil {
			return nil, err
		}
		docs = append(docs, d)
	}
	return docs, nil
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

func unusable(verb, path string, err error) error {
	err = providers.Errorf(providers.ErrUnavailable, "cannot %s the kubeconfig %s: %w", verb, path, err)
	return providers.WithHint(err, "look at its permissions and at the space on its disk: ls -ld %s; or use another file: export KUBECONFIG=FILE", path)
}

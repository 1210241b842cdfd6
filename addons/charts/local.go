package charts

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/ignore"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// tarBlock is the size of the header that a file has in an archive, in bytes.
const tarBlock = 512

// local reads a chart from a directory or an archive, as `helm install PATH` does.
func local(ctx context.Context, name string) (addons.Archive, error) {
	info, err := os.Stat(name)
	if err != nil {
		err = fault.Errorf(fault.ErrNotFound, "cannot read the chart %s: %w", name, reason(err))
		return addons.Archive{}, fault.WithHint(err, "check the path; a relative path starts at the directory of the file that names it")
	}
	var archive addons.Archive
	if info.IsDir() {
		archive, err = fromDirectory(ctx, name)
	} else {
		archive, err = fromFile(name, info)
	}
	if err != nil {
		return addons.Archive{}, fmt.Errorf("cannot read the chart %s: %w", name, err)
	}
	return archive, nil
}

// fromFile reads an archive, such as `helm package` writes.
func fromFile(name string, info fs.FileInfo) (addons.Archive, error) {
	if !info.Mode().IsRegular() {
		return addons.Archive{}, fault.Errorf(fault.ErrInvalid, "it is neither a directory nor a file")
	}
	if info.Size() > loader.MaxDecompressedChartSize {
		return addons.Archive{}, fault.Errorf(fault.ErrInvalid, "it is larger than %s, the limit of Helm", event.Size(loader.MaxDecompressedChartSize))
	}
	loaded, err := loader.LoadFile(name)
	if err != nil {
		return addons.Archive{}, fault.Errorf(fault.ErrInvalid, "%w", err)
	}
	if err := installable(loaded, "package the chart again after: helm dependency build"); err != nil {
		return addons.Archive{}, err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return addons.Archive{}, err
	}
	return addons.Archive{Digest: digest(data), Data: data}, nil
}

// fromDirectory reads a directory. The archive is the same, and so is its digest, as long as
// the files that belong to the chart are the same.
func fromDirectory(ctx context.Context, name string) (addons.Archive, error) {
	root, err := filepath.EvalSymlinks(name)
	if err != nil {
		return addons.Archive{}, err
	}
	if _, err := os.Stat(filepath.Join(root, "Chart.yaml")); err != nil {
		err := fault.Errorf(fault.ErrInvalid, "it has no Chart.yaml")
		return addons.Archive{}, fault.WithHint(err, "name the directory in which Chart.yaml is")
	}
	w := walk{ctx: ctx, root: root}
	if w.rules, err = ignoreRules(root); err != nil {
		return addons.Archive{}, err
	}
	if root, err = filepath.Abs(root); err != nil {
		return addons.Archive{}, err
	}
	if err := w.directory("", []string{root}); err != nil {
		return addons.Archive{}, err
	}
	loaded, err := loader.LoadFiles(w.files)
	if err != nil {
		return addons.Archive{}, fault.Errorf(fault.ErrInvalid, "%w", err)
	}
	if err := installable(loaded, "helm dependency build "+fault.ShellWord(name)); err != nil {
		return addons.Archive{}, err
	}
	return pack(w.files, loaded.Name())
}

// ignoreRules reads the rules of .helmignore in a chart's directory.
func ignoreRules(root string) (*ignore.Rules, error) {
	rules := ignore.Empty()
	file := filepath.Join(root, ignore.HelmIgnore)
	if _, err := os.Stat(file); err == nil {
		if rules, err = ignore.ParseFile(file); err != nil {
			return nil, fault.Errorf(fault.ErrInvalid, "%s: %w", ignore.HelmIgnore, err)
		}
	}
	rules.AddDefaults()
	return rules, nil
}

// walk collects the files of a chart, those that Helm's loader.LoadDir reads: it follows links and
// skips what .helmignore names. LoadDir itself does not limit the total size, never ends on a link to
// a parent directory, and logs each link. Unlike LoadDir, walk skips .git, because it changes with
// each commit, and so would the digest.
type walk struct {
	ctx   context.Context
	root  string
	rules *ignore.Rules
	size  int64 // of the archive, about
	files []*loader.BufferedFile
}

// directory collects the files below a directory. at is the directory and its parents, without
// links, the directory last.
func (w *walk) directory(name string, at []string) error {
	entries, err := os.ReadDir(filepath.Join(w.root, name))
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if err := w.entry(path.Join(name, e.Name()), e, at); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) entry(name string, e fs.DirEntry, at []string) error {
	info, err := os.Stat(filepath.Join(w.root, name))
	if err != nil { // for example a broken link
		if info, err := e.Info(); err == nil && w.rules.Ignore(name, info) {
			return nil
		}
		return fault.Errorf(fault.ErrInvalid, "%s: %w", name, reason(err))
	}
	switch {
	case w.rules.Ignore(name, info), e.Name() == ".git":
		return nil
	case !info.IsDir():
		return w.file(name, info)
	}
	here := filepath.Join(at[len(at)-1], e.Name())
	if e.Type()&fs.ModeSymlink != 0 {
		if here, err = filepath.EvalSymlinks(here); err != nil {
			return err
		}
		for _, above := range at {
			if within(above, here) {
				err := fault.Errorf(fault.ErrInvalid, "%s is a link to %s, which contains the link", name, here)
				return fault.WithHint(err, "remove the link, or add a line with its name to .helmignore")
			}
		}
	}
	return w.directory(name, append(at[:len(at):len(at)], here))
}

func (w *walk) file(name string, info fs.FileInfo) error {
	size := info.Size()
	w.size += size + tarBlock
	problem := ""
	switch {
	case !info.Mode().IsRegular():
		problem = "is neither a directory nor a file"
	case size > loader.MaxDecompressedFileSize:
		problem = fmt.Sprintf("has %s; the limit of Helm for one file is %s", event.Size(size), event.Size(loader.MaxDecompressedFileSize))
	case w.size > loader.MaxDecompressedChartSize:
		problem = fmt.Sprintf("makes the chart larger than %s, the limit of Helm", event.Size(loader.MaxDecompressedChartSize))
	}
	if problem != "" {
		err := fault.Errorf(fault.ErrInvalid, "%s %s", name, problem)
		return fault.WithHint(err, "remove the file if it is not part of the chart, or add its name to .helmignore")
	}
	data, err := os.ReadFile(filepath.Join(w.root, name))
	if err != nil {
		return err
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // a byte order mark, as LoadDir does
	w.files = append(w.files, &loader.BufferedFile{Name: name, Data: data})
	return nil
}

// within reports whether a path is dir or below it.
func within(path, dir string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

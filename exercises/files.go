package exercises

import (
	"io/fs"
	"path"
	"strings"
)

// maxFiles is the largest number of files that students of one exercise work with.
const maxFiles = 50

// collect reads the files that students work with, and those in directories.
func (r *reader) collect(items []Item) []File {
	var all []File
	for _, item := range items {
		root := r.path(item)
		if root == "" {
			continue
		}
		err := fs.WalkDir(r.fsys, root, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			local := strings.TrimPrefix(name, r.dir+"/")
			r.work = append(r.work, local)
			if d.IsDir() {
				return nil
			}
			if len(all) == maxFiles {
				r.problem(r.file, item.Text, "the exercise has more than %d files", maxFiles)
				return fs.SkipAll
			}
			if data, ok := r.read(name, r.file, item.Text); ok {
				all = append(all, File{Path: path.Clean(local), Data: data})
			}
			return nil
		})
		if err != nil {
			r.problem(r.file, item.Text, "cannot read %s: %v", item.Value, reason(err))
		}
	}
	return all
}

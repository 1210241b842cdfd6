// Package records lists stores that keep each record in a directory with its name: clusters, snapshots and
// packs.
package records

import (
	"errors"
	"io/fs"
	"os"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Names returns the names of the directories in dir, sorted, except those for which valid returns an error:
// they are not lab's. It returns none if dir does not exist.
func Names(dir string, valid func(name string) error) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && valid(e.Name()) == nil {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// Read returns what get returns for each of names, except those for which it returns ErrNotFound: another
// process has not written the record yet, or has removed it. problems joins the other errors of get.
func Read[T any](names []string, get func(name string) (T, error)) (all []T, problems error) {
	var bad []error
	for _, name := range names {
		r, err := get(name)
		switch {
		case err == nil:
			all = append(all, r)
		case !errors.Is(err, fault.ErrNotFound):
			bad = append(bad, err)
		}
	}
	return all, errors.Join(bad...)
}

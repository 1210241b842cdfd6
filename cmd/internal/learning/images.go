package learning

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/event"
)

// loadedName is the file in the state directory of a cluster that says which archive was loaded into it. It is removed
// with the cluster.
const loadedName = "exercise-images"

// loadImages loads the images of the builtin pack into a cluster that runs pods, once, so that no registry is needed.
// Without the archive, the cluster pulls them.
func (l *Learning) loadImages(ctx context.Context, c Choice, p place, report event.Reporter) error {
	if c.Exercise.Pack != BuiltinPack || !p.runsPods || l.Images == "" {
		return nil
	}
	info, err := os.Stat(l.Images)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	loaded := fmt.Sprintf("%s %d %s\n", p.id, info.Size(), info.ModTime().UTC())
	path := filepath.Join(l.Inventory.State.Dir(c.Cluster), loadedName)
	if text, err := os.ReadFile(path); err == nil && string(text) == loaded {
		return nil
	}
	err = report.Do("Loading the images of the exercises", func(*event.Step) error {
		return l.Inventory.Set.LoadImages(ctx, p.ref, l.Images)
	})
	if err != nil {
		return err
	}
	return atomicfile.Write(path, []byte(loaded), 0o600)
}

package learning

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/event"
)

// loadedName is the name of a file in the state directory of a cluster, which identifies the archive that was loaded into
// the cluster. It is removed with the cluster.
const loadedName = "exercise-images"

// LoadImages loads the images of the builtin pack into a cluster that runs pods, once, so that no registry is needed.
// Without the archive, and for other packs, the cluster pulls them.
func (l *Learning) LoadImages(ctx context.Context, pack string, ref providers.Ref, report event.Reporter) error {
	if pack != BuiltinPack || l.Images == "" {
		return nil
	}
	info, err := os.Stat(l.Images)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	loaded := fmt.Sprintf("%s %d %s\n", ref.ID, info.Size(), info.ModTime().UTC())
	path := filepath.Join(l.Inventory.State.Dir(ref.Name), loadedName)
	if text, err := os.ReadFile(path); err == nil && string(text) == loaded {
		return nil
	}
	err = report.Do("Loading the images of the exercises", func(*event.Step) error {
		return l.Inventory.Set.LoadImages(ctx, ref, l.Images)
	})
	if err != nil {
		return err
	}
	return atomicfile.Write(path, []byte(loaded), 0o600)
}

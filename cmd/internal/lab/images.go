package lab

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
)

// LoadImages puts images into every node of the cluster. Each of sources is a file, an
// archive as docker save writes it, or else the name of an image that the engine of this
// machine has. Errors are those of [providers.Set.SaveImages] and
// [providers.Set.LoadImages].
func (l *Lab) LoadImages(ctx context.Context, name string, sources []string, report providers.Reporter) error {
	r, err := l.made(ctx, name)
	if err != nil {
		return err
	}
	report = report.For(name)
	var images []string
	for _, source := range sources {
		if !isArchive(source) {
			images = append(images, source)
			continue
		}
		if err := l.loadArchive(ctx, r, source, "Loading "+source, report); err != nil {
			return err
		}
	}
	if len(images) == 0 {
		return nil
	}
	return l.loadNamed(ctx, r, images, report)
}

// isArchive tells whether a source is meant as a file: one that is there, or one whose
// name no image can have.
func isArchive(source string) bool {
	info, err := os.Stat(source)
	return err == nil && !info.IsDir() || strings.HasSuffix(source, ".tar") || filepath.IsAbs(source)
}

// loadNamed saves all images into one archive, in which layers that they share are once.
func (l *Lab) loadNamed(ctx context.Context, r state.Record, images []string, report providers.Reporter) error {
	dir, err := os.MkdirTemp("", "lab-images-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	archive, all := filepath.Join(dir, "images.tar"), strings.Join(images, ", ")
	err = report.Do("Saving "+all, func(*providers.Step) error {
		return l.Set.SaveImages(ctx, r.Flavor, images, archive)
	})
	if err != nil {
		return err
	}
	return l.loadArchive(ctx, r, archive, "Loading "+all, report)
}

func (l *Lab) loadArchive(ctx context.Context, r state.Record, archive, step string, report providers.Reporter) error {
	return report.Do(step, func(*providers.Step) error { return l.Set.LoadImages(ctx, refOf(r), archive) })
}

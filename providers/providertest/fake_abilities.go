package providertest

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Start repairs the record and the parts that can be recreated; a fake has no ports or nodes to
// wait for.
func (f *fake) Start(ctx context.Context, ref providers.Ref, report event.Reporter) error {
	r, err := f.open(ctx, "start", ref)
	if err != nil {
		return err
	}
	if r.CA == nil {
		return errors.New("the cluster cannot be started: it is incomplete")
	}
	if err := f.machine.repair(r.Spec); err != nil {
		return err
	}
	if state, _ := f.machine.state(r); state == providers.StateRunning {
		return nil
	}
	return report.Do("Starting nodes", func(*event.Step) error {
		if err := os.RemoveAll(f.machine.path(ref.Name, "broken")); err != nil {
			return err
		}
		r.State = providers.StateRunning
		return f.machine.save(r)
	})
}

func (f *fake) Stop(ctx context.Context, ref providers.Ref) error {
	r, err := f.open(ctx, "stop", ref)
	if err != nil {
		return err
	}
	if r.CA == nil {
		return errors.New("the cluster cannot be stopped: it is incomplete")
	}
	r.State = providers.StateStopped
	return f.machine.save(r)
}

func (f *fake) LoadImages(ctx context.Context, ref providers.Ref, archive string) (err error) {
	if _, err := f.open(ctx, "loadImages", ref); err != nil {
		return err
	}
	src, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := os.MkdirAll(f.machine.path(ref.Name, "images"), 0o700); err != nil {
		return err
	}
	dst, err := os.Create(f.machine.path(ref.Name, "images", filepath.Base(archive)))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	_, err = io.Copy(dst, src)
	return err
}

func (f *fake) SaveImages(ctx context.Context, images []string, archive string) error {
	if err := f.machine.begin(ctx, "saveImages"); err != nil {
		return err
	}
	var all []byte
	for _, image := range images {
		b, err := os.ReadFile(f.machine.image(image))
		if errors.Is(err, os.ErrNotExist) {
			return fault.Errorf(fault.ErrNotFound, "no such image: %s", image)
		}
		if err != nil {
			return err
		}
		all = append(all, b...)
	}
	return os.WriteFile(archive, all, 0o600)
}

func (f *fake) ExportLogs(ctx context.Context, ref providers.Ref, dir string) error {
	if _, err := f.open(ctx, "exportLogs", ref); err != nil {
		return err
	}
	return os.CopyFS(dir, os.DirFS(f.machine.path(ref.Name, "logs")))
}

// SaveSnapshot saves the images of the cluster, which are its only contents, one below the other.
func (f *fake) SaveSnapshot(ctx context.Context, ref providers.Ref, dir string, report event.Reporter) (providers.Snapshot, error) {
	r, err := f.open(ctx, "saveSnapshot", ref)
	if err != nil {
		return providers.Snapshot{}, err
	}
	if r.CA == nil {
		return providers.Snapshot{}, errors.New("the cluster cannot be saved: it is incomplete")
	}
	err = report.Do("Saving the images", func(*event.Step) error {
		images := f.machine.path(ref.Name, "images")
		if err := os.MkdirAll(images, 0o700); err != nil {
			return err
		}
		if err := os.CopyFS(filepath.Join(dir, "images"), os.DirFS(images)); err != nil {
			return err
		}
		return f.hangSave(ctx, ref.Name)
	})
	return providers.Snapshot{KubernetesVersion: r.Spec.KubernetesVersion}, err
}

func (f *fake) hangSave(ctx context.Context, name string) error {
	faults, err := f.machine.faults()
	if err != nil || !faults.HangSave {
		return err
	}
	if err := os.WriteFile(f.machine.path(name, "saving"), nil, 0o600); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// restore fills a new cluster with the contents of a snapshot.
func (f *fake) restore(spec providers.Spec) error {
	return os.CopyFS(f.machine.path(spec.Name, "images"), os.DirFS(filepath.Join(spec.From.Dir, "images")))
}

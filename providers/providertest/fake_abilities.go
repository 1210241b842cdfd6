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

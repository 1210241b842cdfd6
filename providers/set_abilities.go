package providers

import (
	"context"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Start starts and repairs the cluster. Errors are those of Delete, and ErrUnsupported.
func (s *Set) Start(ctx context.Context, ref Ref, report event.Reporter) error {
	return s.on(ctx, "start", ref, func(p Provider) error {
		ss, ok := p.(StartStopper)
		if !ok {
			return unsupported("start and stop clusters", "recreate the cluster: lab up "+ref.Name+" --recreate")
		}
		return ss.Start(ctx, ref, report.For(ref.Name))
	})
}

// Stop stops the cluster and keeps everything in it. Errors are those of Start.
func (s *Set) Stop(ctx context.Context, ref Ref) error {
	return s.on(ctx, "stop", ref, func(p Provider) error {
		ss, ok := p.(StartStopper)
		if !ok {
			return unsupported("start and stop clusters", "delete the cluster: lab down "+ref.Name)
		}
		return ss.Stop(ctx, ref)
	})
}

// LoadImages puts the images of an archive into every node of the cluster. Errors
// are those of Delete, and ErrUnsupported.
func (s *Set) LoadImages(ctx context.Context, ref Ref, archive string) error {
	return s.on(ctx, "load images into", ref, func(p Provider) error {
		l, ok := p.(ImageLoader)
		if !ok {
			return unsupported("load images", "see what each flavor supports: lab flavors")
		}
		return l.LoadImages(ctx, ref, archive)
	})
}

// CanLoadImages returns ErrUnsupported if the flavor cannot load images.
func (s *Set) CanLoadImages(flavor string) error {
	p, err := s.Get(flavor)
	if err != nil {
		return err
	}
	if _, ok := p.(ImageLoader); !ok {
		return wrap("load images", p, "", unsupported("load images", "see what each flavor supports: lab flavors"))
	}
	return nil
}

// SaveImages writes images of this machine, by name, into an archive for LoadImages of a
// cluster of the flavor. It returns ErrUnsupported, ErrNotFound if an image does not exist, and
// ErrUnavailable if the engine does not answer.
func (s *Set) SaveImages(ctx context.Context, flavor string, images []string, archive string) error {
	p, err := s.Get(flavor)
	if err != nil {
		return err
	}
	l, ok := p.(ImageLoader)
	if !ok {
		return wrap("load images", p, "", unsupported("load images", "see what each flavor supports: lab flavors"))
	}
	return wrap("save images", p, "", l.SaveImages(ctx, images, archive))
}

// ExportLogs writes the cluster's logs into dir. Errors are those of Delete, and
// ErrUnsupported.
func (s *Set) ExportLogs(ctx context.Context, ref Ref, dir string) error {
	return s.on(ctx, "export the logs of", ref, func(p Provider) error {
		l, ok := p.(LogExporter)
		if !ok {
			return unsupported("export logs", "print the logs of a pod: kubectl logs POD")
		}
		return l.ExportLogs(ctx, ref, dir)
	})
}

// RemoveCommand returns the command with which users delete a cluster that lab has no record
// of, or "" if the flavor has none.
func (s *Set) RemoveCommand(flavor, name string) string {
	p, err := s.Get(flavor)
	if r, ok := p.(Remover); ok && err == nil {
		return r.RemoveCommand(name)
	}
	return ""
}

func unsupported(what, hint string) error {
	return fault.WithHint(fault.Errorf(fault.ErrUnsupported, "this flavor cannot %s", what), "%s", hint)
}

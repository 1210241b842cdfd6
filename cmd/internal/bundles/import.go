package bundles

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"

	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/images/store"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Import stores the bundle in a file, and installs its charts, programs and node images where lab looks for them. It
// skips content that is stored already, so that an import can be repeated after an interruption. r should be an
// [io.Seeker]. Errors: ErrInvalid if the file is not a bundle; ErrUnsupported, before anything is written, if it is for
// another platform or from a newer lab; ErrForeign if it is damaged; ErrUnavailable if the disk is full.
func (b *Bundles) Import(ctx context.Context, r io.Reader, report event.Reporter) (Bundle, error) {
	in, err := open(r)
	if err != nil {
		return Bundle{}, err
	}
	if err := in.bundle.fits(b.Platform); err != nil {
		return Bundle{}, err
	}
	return b.importAs(ctx, in.bundle, in.data, report, func(b *Bundles, m *meter) error { return b.take(ctx, in, m) })
}

// importAs stores a bundle. arrive stores the content below the root in the bundles that it gets. An interrupted import
// keeps what it stored.
func (b *Bundles) importAs(
	ctx context.Context, bundle Bundle, data []byte, report event.Reporter, arrive func(*Bundles, *meter) error,
) (_ Bundle, err error) {
	root := descriptorOf(ocispec.MediaTypeImageIndex, data)
	if err := b.Store.CheckFree(max(0, bundle.Size-b.held(ctx, bundle))); err != nil { // before anything is written
		return Bundle{}, noRoom(err)
	}
	b, release, err := b.leased(ctx)
	if err != nil {
		return Bundle{}, err
	}
	defer func() { err = errors.Join(err, release()) }()
	err = report.Do("Importing the bundle "+bundle.Name, func(step *event.Step) error {
		if err := b.begin(ctx, bundle, root, data); err != nil {
			return err
		}
		err := arrive(b, newMeter(bundle.Size, step))
		if errors.Is(err, fault.ErrInvalid) { // it can never be complete
			return errors.Join(err, b.Store.Unpin(context.WithoutCancel(ctx), importPrefix+bundle.Name))
		}
		if err != nil {
			return err
		}
		return b.complete(ctx, bundle.Name, root)
	})
	if err != nil {
		return Bundle{}, err
	}
	return bundle, b.activate(ctx, bundle, report)
}

// begin pins a root and stores it.
func (b *Bundles) begin(ctx context.Context, bundle Bundle, root ocispec.Descriptor, data []byte) error {
	if err := b.Store.Pin(ctx, importPrefix+bundle.Name, root); err != nil {
		return err
	}
	if _, err := content.FetchAll(ctx, b.Store, root); err == nil {
		return nil
	}
	return noRoom(push(ctx, b.Store, root, bytes.NewReader(data))) // a damaged root was removed
}

// held returns the number of bytes of a bundle that are stored.
func (b *Bundles) held(ctx context.Context, bundle Bundle) (sum int64) {
	for d := range owners(ctx, b.Store, bundle) {
		if blob, err := b.Store.Open(ctx, d); err == nil {
			sum += blob.Size()
			_ = blob.Close()
		}
	}
	return sum
}

// complete gives a root the name of a bundle, if all of its content is stored. It returns ErrUnavailable if another lab
// process removed it meanwhile.
func (b *Bundles) complete(ctx context.Context, name string, root ocispec.Descriptor) error {
	missing, err := b.Store.Missing(ctx, root)
	if err == nil && len(missing) == 0 {
		err = b.Store.MovePin(ctx, importPrefix+name, pinPrefix+name, root)
	}
	pins, problem := b.Store.Pins(ctx)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case problem != nil:
		return problem
	case len(missing) > 0 || errors.Is(err, errdef.ErrNotFound) && pins[pinPrefix+name].Digest != root.Digest:
		return removedMeanwhile(name)
	case errors.Is(err, errdef.ErrNotFound): // another process imported the same bundle
		return nil
	}
	return err
}

func removedMeanwhile(name string) error {
	err := fault.Errorf(fault.ErrUnavailable, "another lab process removed or replaced the bundle %s, or a part of it, meanwhile", name)
	return fault.WithHint(err, "run the command again: it skips what is stored")
}

// take stores the content that follows the root in a file.
func (b *Bundles) take(ctx context.Context, in *reader, m *meter) error {
	e := newExpected(in.bundle)
	for {
		d, err := in.next()
		if errors.Is(err, io.EOF) {
			return e.complete()
		}
		if err != nil {
			return err
		}
		known, err := e.take(d)
		if err != nil {
			return err
		}
		if err := b.keep(ctx, e, known, m.reader(in.archive)); err != nil {
			return err
		}
		m.done = e.bytes // also what was stored before
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// keep stores content unless it is stored already, and expects the content that it references.
func (b *Bundles) keep(ctx context.Context, e *expected, d ocispec.Descriptor, r io.Reader) error {
	exists, err := b.intact(ctx, d)
	if err == nil && !exists {
		err = push(ctx, b.Store, d, r)
	}
	switch {
	case err == nil:
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, store.ErrFull):
		return noRoom(err)
	default:
		return e.wrong(d, err)
	}
	if d.Size > maxManifest {
		return nil
	}
	below, err := content.Successors(ctx, b.Store, d)
	if err != nil {
		return fault.Errorf(fault.ErrInvalid, "%s: %w", e.describe(d.Digest), err)
	}
	e.expect(e.owner[d.Digest], below...)
	return nil
}

// intact reports whether content is stored and matches its digest. The store removes what does not, so that an import
// repairs it.
func (b *Bundles) intact(ctx context.Context, d ocispec.Descriptor) (bool, error) {
	exists, err := b.Store.Exists(ctx, d)
	if err != nil || !exists {
		return false, err
	}
	blob, err := b.Store.Open(ctx, d.Digest)
	if err != nil {
		return false, ctx.Err()
	}
	_, err = io.Copy(io.Discard, blob)
	return errors.Join(err, blob.Close()) == nil, ctx.Err()
}

func noRoom(err error) error {
	if !errors.Is(err, store.ErrFull) {
		return err
	}
	return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "%w", err), "free some space, and import the bundle again: what is stored already is skipped")
}

// activate installs the charts, the programs and the names of the images of a complete bundle where lab looks for them.
func (b *Bundles) activate(ctx context.Context, bundle Bundle, report event.Reporter) error {
	for _, item := range bundle.Items {
		var err error
		switch item.Kind {
		case KindImage, KindNodeImage:
			err = b.Store.Tag(ctx, item.manifest, item.Name)
		case KindChart:
			err = b.keepChart(ctx, item)
		case KindProgram:
			err = b.install(ctx, item, report)
		}
		if err != nil {
			return err
		}
	}
	return b.keepNodeImages(ctx, bundle, report)
}

func (b *Bundles) keepChart(ctx context.Context, item Item) error {
	layer, err := layerOf(ctx, b.Store, item)
	if err != nil {
		return err
	}
	data, err := content.FetchAll(ctx, b.Store, layer)
	if err != nil || item.Chart == nil {
		return err
	}
	return b.KeepChart(*item.Chart, data)
}

// install installs a program of lab that is not on this machine.
func (b *Bundles) install(ctx context.Context, item Item, report event.Reporter) error {
	if !b.Missing(item.Name) {
		return nil
	}
	layer, err := layerOf(ctx, b.Store, item)
	if err != nil {
		return err
	}
	return report.Do("Installing "+item.Name, func(step *event.Step) error {
		tool := tools.Tool{Name: item.Name, Version: item.Version, Files: map[string]tools.File{
			b.Platform: {URL: item.Name, SHA256: layer.Digest.Encoded()},
		}}
		_, err := b.Tools.Install(ctx, tool, b.Stored(nil), step.Progress)
		return err
	})
}

// Stored returns the source of the releases of tools that bundles contain. It calls next, if that is not nil, for others.
func (b *Bundles) Stored(next tools.Source) tools.Source {
	return func(ctx context.Context, t tools.Tool, f tools.File, moved func(string)) ([]byte, error) {
		blob, err := b.Store.Open(ctx, digest.NewDigestFromEncoded(digest.SHA256, f.SHA256))
		if err != nil && next != nil {
			return next(ctx, t, f, moved)
		}
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(blob)
		err = errors.Join(err, blob.Close())
		if err != nil && next != nil { // damaged, and removed
			return next(ctx, t, f, moved)
		}
		return data, lost(err, "import the bundle again: lab bundle import FILE")
	}
}

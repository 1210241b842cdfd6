package providers

import (
	"context"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// NodeImager is implemented by providers that create nodes from images of a container engine.
type NodeImager interface {
	// NodeImages returns the names of the images that a creation from spec uses, which has been
	// through [Spec.WithDefaults] and [Spec.Validate]. It has no side effects. It returns the
	// errors of Create for the spec, and ErrUnsupported if only the tool knows the images.
	NodeImages(spec Spec) ([]string, error)

	// LacksImages returns those of images that the engine does not have. It returns
	// ErrUnavailable if the engine does not answer.
	LacksImages(ctx context.Context, images []string) ([]string, error)

	// KeepImages loads the images of an archive, as `docker save` writes it, into the engine.
	KeepImages(ctx context.Context, archive string) error
}

// Downloader is implemented by providers whose clusters download more than the images of
// [NodeImager], which lab cannot take from this machine.
type Downloader interface {
	// Downloads returns what a new cluster downloads: "the images of its components".
	Downloads() string
}

// Downloads returns what a new cluster of the flavor downloads that lab cannot take from this
// machine, or "". Errors are those of Get.
func (s *Set) Downloads(flavor string) (string, error) {
	p, err := s.Get(flavor)
	if err != nil {
		return "", err
	}
	if d, ok := p.(Downloader); ok {
		return d.Downloads(), nil
	}
	return "", nil
}

// NodeImages returns the images that a creation of the flavor from spec uses: none if its nodes
// are not created from images. Errors are those of [NodeImager], and ErrNotFound for an unknown
// flavor.
func (s *Set) NodeImages(flavor string, spec Spec) ([]string, error) {
	p, err := s.Get(flavor)
	if err != nil {
		return nil, err
	}
	i, ok := p.(NodeImager)
	if !ok {
		return nil, nil
	}
	images, err := i.NodeImages(spec)
	return images, wrap("find the images of", p, spec.Name, err)
}

// LacksImages returns those of images that the engine of the flavor does not have. It returns
// ErrUnsupported if the flavor has no engine, and ErrUnavailable if the engine does not answer.
func (s *Set) LacksImages(ctx context.Context, flavor string, images []string) (lacks []string, err error) {
	err = s.imager(flavor, func(i NodeImager) (err error) {
		lacks, err = i.LacksImages(ctx, images)
		return err
	})
	return lacks, err
}

// KeepImages loads the images of an archive into the engine of the flavor. Errors are those of
// LacksImages, and of the engine.
func (s *Set) KeepImages(ctx context.Context, flavor, archive string) error {
	return s.imager(flavor, func(i NodeImager) error { return i.KeepImages(ctx, archive) })
}

func (s *Set) imager(flavor string, do func(NodeImager) error) error {
	p, err := s.Get(flavor)
	if err != nil {
		return err
	}
	i, ok := p.(NodeImager)
	if !ok {
		return wrap("work on images", p, "", fault.Errorf(fault.ErrUnsupported, "this flavor has no container engine"))
	}
	return wrap("work on images", p, "", do(i))
}

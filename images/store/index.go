package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"

	"github.com/clusterlab-dev/lab/providers/atomicfile"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Annotations of the entries of index.json.
const (
	checkedKey = "dev.clusterlab.checked" // when the registry was last asked for the tag
	pinKey     = "dev.clusterlab.pin"     // the name of the pin
)

// Tag is the name of an image, such as docker.io/library/nginx:1.27, and what it refers to.
type Tag struct {
	Ref        string
	Descriptor ocispec.Descriptor
	// Checked is when the registry was last asked what the tag refers to. The zero time means that the tag was
	// set by [Store.Tag], for example by an import, and that the registry is not asked for it.
	Checked time.Time
}

// Tag makes ref refer to a stored descriptor. Errors: errdef.ErrNotFound if it is not stored.
func (s *Store) Tag(ctx context.Context, d ocispec.Descriptor, ref string) error {
	return s.SetTag(ctx, Tag{Ref: ref, Descriptor: d})
}

// SetTag is [Store.Tag] for a tag that a registry was asked for.
func (s *Store) SetTag(ctx context.Context, t Tag) error {
	if t.Ref == "" {
		return fmt.Errorf("empty tag: %w", errdef.ErrMissingReference)
	}
	entry := plain(t.Descriptor)
	entry.Annotations = map[string]string{ocispec.AnnotationRefName: t.Ref}
	if !t.Checked.IsZero() {
		entry.Annotations[checkedKey] = t.Checked.UTC().Format(time.RFC3339Nano)
	}
	return s.locked(ctx, func() error {
		if exists, err := s.exists(t.Descriptor); err != nil || !exists {
			return errors.Join(err, fmt.Errorf("%s: %w", t.Descriptor.Digest, errdef.ErrNotFound))
		}
		return s.replace(ocispec.AnnotationRefName, t.Ref, &entry)
	})
}

// Untag removes a tag. The content stays until it is removed for space.
func (s *Store) Untag(ctx context.Context, ref string) error {
	return s.locked(ctx, func() error { return s.replace(ocispec.AnnotationRefName, ref, nil) })
}

// Resolve returns what a tag refers to. Errors: errdef.ErrNotFound.
func (s *Store) Resolve(ctx context.Context, ref string) (ocispec.Descriptor, error) {
	tag, err := s.Lookup(ctx, ref)
	return tag.Descriptor, err
}

// Lookup returns a tag. Errors: errdef.ErrNotFound.
func (s *Store) Lookup(ctx context.Context, ref string) (Tag, error) {
	tags, err := s.Tags(ctx)
	if err != nil {
		return Tag{}, err
	}
	for _, t := range tags {
		if t.Ref == ref {
			return t, nil
		}
	}
	return Tag{}, fmt.Errorf("%s: %w", ref, errdef.ErrNotFound)
}

// Tags returns all tags.
func (s *Store) Tags(context.Context) ([]Tag, error) {
	index, err := s.readIndex()
	if err != nil {
		return nil, err
	}
	var tags []Tag
	for _, e := range index.Manifests {
		ref := e.Annotations[ocispec.AnnotationRefName]
		if ref == "" {
			continue
		}
		checked, _ := time.Parse(time.RFC3339Nano, e.Annotations[checkedKey])
		tags = append(tags, Tag{Ref: ref, Descriptor: plain(e), Checked: checked})
	}
	return tags, nil
}

// Pin protects a root, and all stored content that is reachable from it, from removal. The root need not be stored
// yet: pin it, then push parents before children. An interrupted import then keeps what it has.
func (s *Store) Pin(ctx context.Context, name string, root ocispec.Descriptor) error {
	entry := plain(root)
	entry.Annotations = map[string]string{pinKey: name}
	return s.locked(ctx, func() error { return s.replace(pinKey, name, &entry) })
}

// MovePin renames the pin of a root. It replaces the pin with the new name. Errors: errdef.ErrNotFound if the pin was
// removed or has another root.
func (s *Store) MovePin(ctx context.Context, from, to string, root ocispec.Descriptor) error {
	entry := plain(root)
	entry.Annotations = map[string]string{pinKey: to}
	return s.locked(ctx, func() error {
		pins, err := s.Pins(ctx)
		if err != nil {
			return err
		}
		if pins[from].Digest != root.Digest {
			return fmt.Errorf("pin %q: %w", from, errdef.ErrNotFound)
		}
		return errors.Join(s.replace(pinKey, to, &entry), s.replace(pinKey, from, nil))
	})
}

// Unpin removes a pin. The content stays until it is removed for space.
func (s *Store) Unpin(ctx context.Context, name string) error {
	return s.locked(ctx, func() error { return s.replace(pinKey, name, nil) })
}

// Pins returns the roots of all pins by name.
func (s *Store) Pins(context.Context) (map[string]ocispec.Descriptor, error) {
	index, err := s.readIndex()
	if err != nil {
		return nil, err
	}
	pins := map[string]ocispec.Descriptor{}
	for _, e := range index.Manifests {
		if name := e.Annotations[pinKey]; name != "" {
			pins[name] = plain(e)
		}
	}
	return pins, nil
}

// plain returns a descriptor without annotations that say where it was found.
func plain(d ocispec.Descriptor) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: d.MediaType, ArtifactType: d.ArtifactType, Digest: d.Digest, Size: d.Size}
}

// replace replaces the entry with a value of an annotation. It removes the entry if the new one is nil. The caller
// holds the lock.
func (s *Store) replace(key, value string, entry *ocispec.Descriptor) error {
	index, err := s.readIndex()
	if err != nil {
		return err
	}
	index.Manifests = slices.DeleteFunc(index.Manifests, func(e ocispec.Descriptor) bool { return e.Annotations[key] == value })
	if entry != nil {
		index.Manifests = append(index.Manifests, *entry)
	}
	return s.writeIndex(index)
}

func (s *Store) indexPath() string { return filepath.Join(s.dir, ocispec.ImageIndexFile) }

// readIndex returns the content of index.json.
func (s *Store) readIndex() (ocispec.Index, error) {
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex}
	data, err := os.ReadFile(s.indexPath())
	if errors.Is(err, fs.ErrNotExist) {
		return index, nil
	}
	if err != nil {
		return index, err
	}
	if err := json.Unmarshal(data, &index); err != nil {
		err = fault.Errorf(fault.ErrInvalid, "cannot read %s: %w", s.indexPath(), err)
		return index, fault.WithHint(err, "move the file, and import your bundles again, which skips what is stored: mv %s %s", fault.ShellWord(s.indexPath()), fault.ShellWord(s.indexPath()+".old"))
	}
	return index, nil
}

func (s *Store) writeIndex(index ocispec.Index) error {
	if index.Manifests == nil {
		index.Manifests = []ocispec.Descriptor{}
	}
	data, err := json.Marshal(index)
	if err != nil {
		return err
	}
	return errors.Join(s.writeLayout(), atomicfile.Write(s.indexPath(), data, 0o600))
}

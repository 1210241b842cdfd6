package bundles

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// tree returns the descriptors below root, and root, each once, parents before children. All manifests must be stored.
func tree(ctx context.Context, from content.Fetcher, root ocispec.Descriptor) ([]ocispec.Descriptor, error) {
	seen := map[digest.Digest]bool{root.Digest: true}
	list := []ocispec.Descriptor{root}
	for i := 0; i < len(list); i++ {
		below, err := content.Successors(ctx, from, list[i])
		if err != nil {
			return nil, err
		}
		for _, d := range below {
			if !seen[d.Digest] {
				seen[d.Digest] = true
				list = append(list, d)
			}
		}
	}
	return list, nil
}

// owners returns the item that each content below the root of a bundle belongs to, by its index: the first of several.
func owners(ctx context.Context, from content.Fetcher, b Bundle) map[digest.Digest]int {
	owner := map[digest.Digest]int{}
	for i, item := range b.Items {
		owner[item.Digest] = i
		below, _ := tree(ctx, from, item.manifest) // a manifest that is missing or damaged has no content
		for _, d := range below {
			if _, known := owner[d.Digest]; !known {
				owner[d.Digest] = i
			}
		}
	}
	return owner
}

// sizeOf returns the sum of the sizes of descriptors in bytes.
func sizeOf(list []ocispec.Descriptor) (sum int64) {
	for _, d := range list {
		sum += d.Size
	}
	return sum
}

// push stores content that may be stored already.
func push(ctx context.Context, to content.Pusher, d ocispec.Descriptor, r io.Reader) error {
	if err := to.Push(ctx, d, r); err != nil && !errors.Is(err, errdef.ErrAlreadyExists) {
		return err
	}
	return nil
}

func pushBytes(ctx context.Context, to content.Pusher, mediaType string, data []byte) (ocispec.Descriptor, error) {
	d := descriptorOf(mediaType, data)
	return d, push(ctx, to, d, bytes.NewReader(data))
}

// pushArtifact stores the manifest of an artifact with one layer, which is stored.
func pushArtifact(ctx context.Context, to content.Pusher, layer ocispec.Descriptor) (ocispec.Descriptor, error) {
	config, err := pushBytes(ctx, to, ocispec.MediaTypeEmptyJSON, ocispec.DescriptorEmptyJSON.Data)
	if err != nil {
		return config, err
	}
	data, err := json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, ArtifactType: itemType,
		Config: config, Layers: []ocispec.Descriptor{layer},
	})
	if err != nil {
		return config, err
	}
	return pushBytes(ctx, to, ocispec.MediaTypeImageManifest, data)
}

// layerOf returns the only layer of an artifact.
func layerOf(ctx context.Context, from content.Fetcher, item Item) (ocispec.Descriptor, error) {
	m, err := manifestOf(ctx, from, item.manifest)
	if err == nil && len(m.Layers) != 1 {
		err = fault.Errorf(fault.ErrInvalid, "the %s %s has %d layers, and must have one", item.Kind.words(), item.Name, len(m.Layers))
	}
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return m.Layers[0], nil
}

// manifestOf reads a manifest.
func manifestOf(ctx context.Context, from content.Fetcher, d ocispec.Descriptor) (m ocispec.Manifest, err error) {
	if d.Size > maxManifest {
		return m, fault.Errorf(fault.ErrInvalid, "the manifest %s is larger than %s", d.Digest, event.Size(maxManifest))
	}
	data, err := content.FetchAll(ctx, from, d)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return m, fault.Errorf(fault.ErrInvalid, "cannot read the manifest %s: %w", d.Digest, err)
	}
	return m, nil
}

package bundles

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// dockerManifest is the file in an archive of `docker save` for engines that do not read OCI layouts.
const dockerManifest = "manifest.json"

// readArchive stores the content of an archive that `docker save` wrote for one image, and returns the manifest of the
// image for a platform. Docker before version 25 writes archives without digests, see readOldArchive.
func readArchive(ctx context.Context, to content.Storage, file string, platform ocispec.Platform) (ocispec.Descriptor, error) {
	var index ocispec.Index
	var images []dockerImage
	err := eachFile(file, func(h *tar.Header, r io.Reader) error {
		switch h.Name {
		case ocispec.ImageIndexFile:
			return json.NewDecoder(io.LimitReader(r, maxManifest)).Decode(&index)
		case dockerManifest:
			return json.NewDecoder(io.LimitReader(r, maxManifest)).Decode(&images)
		}
		return nil
	})
	switch {
	case err != nil:
		return ocispec.Descriptor{}, err
	case len(index.Manifests) == 0 && len(images) == 1:
		return readOldArchive(ctx, to, file, images[0])
	case len(index.Manifests) == 0:
		return ocispec.Descriptor{}, fault.Errorf(fault.ErrInvalid, "the container engine saved %d images, and must save one", len(images))
	}
	err = eachFile(file, func(h *tar.Header, r io.Reader) error {
		d := digest.NewDigestFromEncoded(digest.SHA256, path.Base(h.Name))
		if h.Typeflag != tar.TypeReg || path.Dir(h.Name) != blobsDir || d.Validate() != nil {
			return nil
		}
		return push(ctx, to, ocispec.Descriptor{MediaType: dataType, Digest: d, Size: h.Size}, r)
	})
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return choose(ctx, to, index.Manifests, platform)
}

// readOldArchive stores an image of an archive without digests, and returns a new manifest of it. The configuration of the
// image has the digests of its layers, which are not compressed in such an archive.
func readOldArchive(ctx context.Context, to content.Storage, file string, image dockerImage) (ocispec.Descriptor, error) {
	var config []byte
	err := eachFile(file, func(h *tar.Header, r io.Reader) (err error) {
		if h.Name == image.Config {
			config, err = io.ReadAll(io.LimitReader(r, maxManifest))
		}
		return err
	})
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	var parsed ocispec.Image
	if err := json.Unmarshal(config, &parsed); err != nil {
		return ocispec.Descriptor{}, fault.Errorf(fault.ErrInvalid, "cannot read the configuration of the image: %w", err)
	}
	layers := parsed.RootFS.DiffIDs
	sizes := map[digest.Digest]int64{}
	err = eachFile(file, func(h *tar.Header, r io.Reader) error {
		i := slices.Index(image.Layers, h.Name)
		if i < 0 || i >= len(layers) || h.Typeflag != tar.TypeReg { // a repeated layer is a link
			return nil
		}
		sizes[layers[i]] = h.Size
		return push(ctx, to, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: layers[i], Size: h.Size}, r)
	})
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	manifest := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest}
	if manifest.Config, err = pushBytes(ctx, to, ocispec.MediaTypeImageConfig, config); err != nil {
		return ocispec.Descriptor{}, err
	}
	for _, d := range layers {
		size, ok := sizes[d]
		if !ok {
			return ocispec.Descriptor{}, fault.Errorf(fault.ErrInvalid, "the container engine saved the image without its layer %s", d)
		}
		manifest.Layers = append(manifest.Layers, ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: d, Size: size})
	}
	data, err := json.Marshal(manifest)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	return pushBytes(ctx, to, ocispec.MediaTypeImageManifest, data)
}

// eachFile calls do with each file of a tar.
func eachFile(file string, do func(*tar.Header, io.Reader) error) (err error) {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	for archive := tar.NewReader(f); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = do(h, archive)
		}
		if err != nil {
			return err
		}
	}
}

// choose returns the manifest for a platform. A manifest without a platform is for all platforms.
func choose(ctx context.Context, from content.Fetcher, list []ocispec.Descriptor, platform ocispec.Platform) (ocispec.Descriptor, error) {
	for _, d := range list {
		if p := d.Platform; p != nil && (p.OS != platform.OS || p.Architecture != platform.Architecture) {
			continue
		}
		if !isIndex(d) {
			return d, nil
		}
		data, err := content.FetchAll(ctx, from, d)
		if err != nil {
			continue // the engine saves only what it has
		}
		var index ocispec.Index
		if err := json.Unmarshal(data, &index); err != nil {
			return d, fault.Errorf(fault.ErrInvalid, "cannot read the index %s: %w", d.Digest, err)
		}
		if found, err := choose(ctx, from, index.Manifests, platform); err == nil {
			return found, nil
		}
	}
	return ocispec.Descriptor{}, fault.Errorf(fault.ErrNotFound, "it is not available for %s/%s", platform.OS, platform.Architecture)
}

func isIndex(d ocispec.Descriptor) bool {
	return d.MediaType == ocispec.MediaTypeImageIndex || d.MediaType == "application/vnd.docker.distribution.manifest.list.v2+json"
}

// writeArchive writes images of the store into an archive that both `docker load` and containerd read. docker reads
// manifest.json, containerd index.json.
func writeArchive(ctx context.Context, from content.Fetcher, items []Item, w io.Writer) error {
	archive := tar.NewWriter(w)
	index := ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex}
	var legacy []dockerImage
	written := map[digest.Digest]bool{}
	for _, item := range items {
		d := plain(item.manifest)
		d.Annotations = map[string]string{"io.containerd.image.name": item.Name, ocispec.AnnotationRefName: item.Name}
		index.Manifests = append(index.Manifests, d)
		m, err := manifestOf(ctx, from, item.manifest)
		if err != nil {
			return err
		}
		legacy = append(legacy, legacyOf(item, m))
		for _, d := range append([]ocispec.Descriptor{item.manifest, m.Config}, m.Layers...) {
			if written[d.Digest] {
				continue
			}
			written[d.Digest] = true
			if err := addBlob(ctx, archive, from, d); err != nil {
				return fmt.Errorf("image %s: %w", item.Name, err)
			}
		}
	}
	for _, f := range []struct {
		name    string
		content any
	}{{ocispec.ImageLayoutFile, ocispec.ImageLayout{Version: ocispec.ImageLayoutVersion}}, {ocispec.ImageIndexFile, index}, {dockerManifest, legacy}} {
		data, err := json.Marshal(f.content)
		if err != nil {
			return err
		}
		if err := addFile(archive, f.name, int64(len(data)), strings.NewReader(string(data))); err != nil {
			return err
		}
	}
	return archive.Close()
}

// dockerImage is an entry of manifest.json.
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

func legacyOf(item Item, m ocispec.Manifest) dockerImage {
	file := func(d ocispec.Descriptor) string { return path.Join(blobsDir, d.Digest.Encoded()) }
	image := dockerImage{Config: file(m.Config), RepoTags: []string{}, Layers: []string{}}
	if tagged := withoutDigest(item.Name); strings.Contains(path.Base(tagged), ":") {
		image.RepoTags = append(image.RepoTags, tagged)
	}
	for _, layer := range m.Layers {
		image.Layers = append(image.Layers, file(layer))
	}
	return image
}

// plain returns a descriptor without annotations.
func plain(d ocispec.Descriptor) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: d.MediaType, Digest: d.Digest, Size: d.Size, Platform: d.Platform}
}

// fullName returns the name of an image with its registry, as nodes know it, but with a tag that a digest follows.
func fullName(image string) string {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return image
	}
	return reference.TagNameOnly(named).String()
}

// withoutDigest returns the name of an image without its digest.
func withoutDigest(image string) string {
	short, _, _ := strings.Cut(image, "@")
	return short
}

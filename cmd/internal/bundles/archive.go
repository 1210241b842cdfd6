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
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// dockerManifest is the file in an archive of `docker save` that engines without OCI layouts read.
const dockerManifest = "manifest.json"

// readArchive stores the content of an archive that `docker save` wrote for one image, and returns the manifest of the
// image for a platform. It returns ErrUnsupported for the format of Docker before version 25.
func readArchive(ctx context.Context, to content.Storage, file string, platform ocispec.Platform) (ocispec.Descriptor, error) {
	var index ocispec.Index
	err := eachFile(file, func(h *tar.Header, r io.Reader) error {
		if h.Name != ocispec.ImageIndexFile {
			return nil
		}
		return json.NewDecoder(io.LimitReader(r, maxManifest)).Decode(&index)
	})
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	if len(index.Manifests) == 0 {
		err := fault.Errorf(fault.ErrUnsupported, "the Docker Engine saves images in an old format without digests")
		return ocispec.Descriptor{}, fault.WithHint(err, "update Docker to version 25 or newer")
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

// choose returns the manifest for a platform among manifests and indexes. A manifest that names no platform is for all.
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

// writeArchive writes images of the store into an archive that both `docker load` and containerd read: the one reads
// manifest.json, the other index.json.
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

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	_ "crypto/sha256" // for package digest
	"encoding/json"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	"github.com/opencontainers/image-spec/specs-go/v1"
)

// annotationName is where containerd expects the name of an image in an OCI archive.
const annotationName = "io.containerd.image.name"

// layer is a layer with one program.
type layer struct {
	compressed []byte
	plain      digest.Digest // of its contents before compression
}

func (l layer) diffIDs() []digest.Digest { return []digest.Digest{l.plain} }

// layout is an OCI layout that is written as a tar archive.
type layout struct {
	tar     *tar.Writer
	written map[digest.Digest]bool
}

// write writes images, each for the architectures of programs, as an OCI archive.
func write(w io.Writer, programs map[string]string, images []image) error {
	l := layout{tar.NewWriter(w), map[digest.Digest]bool{}}
	layers := map[string]layer{}
	for arch, path := range programs {
		var err error
		if layers[arch], err = layerOf(path); err != nil {
			return err
		}
	}
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex}
	for _, i := range images {
		one := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex}
		for _, arch := range slices.Sorted(maps.Keys(layers)) {
			manifest, err := l.manifest(i, arch, layers[arch])
			if err != nil {
				return err
			}
			one.Manifests = append(one.Manifests, manifest)
		}
		descriptor, err := l.json(v1.MediaTypeImageIndex, one)
		if err != nil {
			return err
		}
		descriptor.Annotations = map[string]string{annotationName: i.name}
		index.Manifests = append(index.Manifests, descriptor)
	}
	text, err := json.Marshal(index)
	if err != nil {
		return err
	}
	if err := l.file(v1.ImageIndexFile, text); err != nil {
		return err
	}
	if err := l.file(v1.ImageLayoutFile, []byte(`{"imageLayoutVersion":"`+v1.ImageLayoutVersion+`"}`)); err != nil {
		return err
	}
	return l.tar.Close()
}

// manifest writes the manifest of an image for one architecture, with its configuration and its layer.
func (l layout) manifest(i image, arch string, program layer) (v1.Descriptor, error) {
	content, err := l.blob(v1.MediaTypeImageLayerGzip, program.compressed)
	if err != nil {
		return v1.Descriptor{}, err
	}
	configuration, err := l.json(v1.MediaTypeImageConfig, config(i, arch, program))
	if err != nil {
		return v1.Descriptor{}, err
	}
	descriptor, err := l.json(v1.MediaTypeImageManifest, v1.Manifest{Versioned: specs.Versioned{SchemaVersion: 2},
		MediaType: v1.MediaTypeImageManifest, Config: configuration, Layers: []v1.Descriptor{content}})
	descriptor.Platform = &v1.Platform{OS: "linux", Architecture: arch}
	return descriptor, err
}

func (l layout) json(mediaType string, v any) (v1.Descriptor, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return v1.Descriptor{}, err
	}
	return l.blob(mediaType, text)
}

// blob writes content unless the archive has it.
func (l layout) blob(mediaType string, content []byte) (v1.Descriptor, error) {
	id := digest.FromBytes(content)
	descriptor := v1.Descriptor{MediaType: mediaType, Digest: id, Size: int64(len(content))}
	if l.written[id] {
		return descriptor, nil
	}
	l.written[id] = true
	return descriptor, l.file("blobs/"+id.Algorithm().String()+"/"+id.Encoded(), content)
}

func (l layout) file(name string, content []byte) error {
	if err := l.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		return err
	}
	_, err := l.tar.Write(content)
	return err
}

// user is the UID and the GID of the program.
const user = 65532

// layerOf returns a layer with a program as /hello, and the directory /data, in which the program may write.
func layerOf(path string) (layer, error) {
	program, err := os.ReadFile(path)
	if err != nil {
		return layer{}, err
	}
	var plain, compressed bytes.Buffer
	files := tar.NewWriter(&plain)
	if err := files.WriteHeader(&tar.Header{Name: "hello", Mode: 0o755, Size: int64(len(program))}); err != nil {
		return layer{}, err
	}
	if _, err := files.Write(program); err != nil {
		return layer{}, err
	}
	if err := files.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "data/", Mode: 0o755, Uid: user, Gid: user}); err != nil {
		return layer{}, err
	}
	if err := files.Close(); err != nil {
		return layer{}, err
	}
	packed := gzip.NewWriter(&compressed)
	if _, err := packed.Write(plain.Bytes()); err != nil {
		return layer{}, err
	}
	if err := packed.Close(); err != nil {
		return layer{}, err
	}
	return layer{compressed.Bytes(), digest.FromBytes(plain.Bytes())}, nil
}

package nodes

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/distribution/reference"
	"github.com/klauspost/compress/zstd"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// maxIndex bounds how much of the index of an archive is read, in bytes: 4 MiB, the limit of
// registries for a manifest.
const maxIndex = 4 << 20

// named is the name of an image in an archive.
type named struct {
	raw  string // its name in the archive, under which containerd keeps it
	full string // the name by which the kubelet asks for it: docker.io/library/web:v1

	digest string // of its manifest or index, or "" if the archive is in Docker's older format, which has none
}

// namesIn returns the names of the images in an archive that docker save or an OCI builder
// wrote, compressed or not. It returns ErrInvalid if the file is not such an archive, or if no
// image in it has a name: no pod could use it.
func namesIn(path string) ([]named, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil {
		return nil, err
	} else if info.IsDir() {
		return nil, fault.Errorf(fault.ErrInvalid, "%s is a directory, not an archive", path)
	}
	plain, err := decompress(file)
	if err != nil {
		return nil, noArchive(path, err)
	}
	found, isArchive := map[string][]byte{}, false
	for files := tar.NewReader(plain); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, noArchive(path, err)
		}
		switch name := strings.TrimPrefix(header.Name, "./"); name {
		case "manifest.json", "index.json":
			isArchive = true
			if found[name], err = io.ReadAll(io.LimitReader(files, maxIndex)); err != nil {
				return nil, noArchive(path, err)
			}
		}
	}
	if !isArchive {
		return nil, noArchive(path, errors.New("it contains neither manifest.json nor index.json"))
	}
	names, err := namesOf(found["manifest.json"], found["index.json"])
	if err != nil {
		return nil, noArchive(path, err)
	}
	if len(names) == 0 {
		err := fault.Errorf(fault.ErrInvalid, "no image in %s has a name, so no pod can use it", path)
		return nil, fault.WithHint(err, "tag the image and load it by name: docker load --input %s, docker tag IMAGE NAME:TAG, lab image load NAME:TAG", path)
	}
	return names, nil
}

// CheckArchive returns nil if a file is an image archive that a cluster can use, and otherwise
// ErrInvalid, as [Tool.LoadImages] does.
func CheckArchive(path string) error {
	_, err := namesIn(path)
	return err
}

func noArchive(path string, err error) error {
	return fault.WithHint(fault.Errorf(fault.ErrInvalid, "%s is not an image archive: %w", path, err),
		"create an archive: docker save --output FILE IMAGE")
}

// decompress returns a reader of the contents of a file, which may be compressed with gzip or
// zstd, the formats that containerd reads.
func decompress(file io.Reader) (io.Reader, error) {
	buffered := bufio.NewReader(file)
	start, err := buffered.Peek(4)
	switch {
	case len(start) == 0:
		return nil, errors.New("it is empty")
	case bytes.HasPrefix(start, []byte{0x1f, 0x8b}):
		return gzip.NewReader(buffered)
	case bytes.Equal(start, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstd.NewReader(buffered, zstd.WithDecoderConcurrency(1))
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	}
	return buffered, nil
}

// namesOf returns the names in the index of docker's format and in that of an OCI layout,
// either of which may be missing.
func namesOf(manifest, index []byte) ([]named, error) {
	var images []struct{ RepoTags []string }
	var layout struct {
		Manifests []struct {
			Digest      string
			Annotations map[string]string
		}
	}
	if err := parse(manifest, &images); err != nil {
		return nil, fmt.Errorf("manifest.json: %w", err)
	}
	if err := parse(index, &layout); err != nil {
		return nil, fmt.Errorf("index.json: %w", err)
	}
	var names []named
	seen := map[string]bool{}
	add := func(raw, digest string) {
		// containerd treats a text without any of these as a tag of a generated name.
		if !strings.ContainsAny(raw, "/:@") {
			return
		}
		if ref, err := reference.ParseDockerRef(raw); err == nil && !seen[ref.String()] {
			seen[ref.String()] = true
			names = append(names, named{raw, ref.String(), digest})
		}
	}
	for _, m := range layout.Manifests {
		add(m.Annotations["io.containerd.image.name"], m.Digest)
		add(m.Annotations["org.opencontainers.image.ref.name"], m.Digest)
	}
	for _, image := range images {
		for _, tag := range image.RepoTags {
			add(tag, "")
		}
	}
	return names, nil
}

func parse(data []byte, v any) error {
	if data == nil {
		return nil
	}
	return json.Unmarshal(data, v)
}

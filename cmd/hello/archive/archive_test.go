package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go/v1"
)

// contents returns the files of an archive, and checks that each blob has its digest as its name.
func contents(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	for files := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		if found[header.Name], err = io.ReadAll(files); err != nil {
			t.Fatal(err)
		}
		if filepath.Dir(header.Name) == "blobs/sha256" && digest.FromBytes(found[header.Name]).Encoded() != filepath.Base(header.Name) {
			t.Errorf("%s has another digest", header.Name)
		}
	}
}

// writable checks that a layer has the directory /data, and that it belongs to the user of the program.
func writable(t *testing.T, compressed []byte, user string) {
	t.Helper()
	plain, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(plain); ; {
		header, err := files.Next()
		if err != nil {
			t.Fatalf("no directory /data: %v", err)
		}
		if header.Name == "data/" {
			if owner := fmt.Sprintf("%d:%d", header.Uid, header.Gid); owner != user || !header.FileInfo().IsDir() {
				t.Errorf("/data belongs to %s, and the program is %s", owner, user)
			}
			return
		}
	}
}

// TestWrite checks that an archive has each image for each architecture, that images share their layers, and that the
// same programs give the same archive.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	programs := map[string]string{}
	for _, arch := range []string{"amd64", "arm64"} {
		programs[arch] = filepath.Join(dir, arch)
		if err := os.WriteFile(programs[arch], []byte("program for "+arch), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	var first, second bytes.Buffer
	for _, w := range []io.Writer{&first, &second} {
		if err := write(w, programs, images()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two archives of the same programs differ")
	}
	files := contents(t, first.Bytes())
	read := func(name string, v any) {
		t.Helper()
		if err := json.Unmarshal(files[name], v); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	blob := func(d v1.Descriptor) string { return "blobs/sha256/" + d.Digest.Encoded() }
	var index v1.Index
	read(v1.ImageIndexFile, &index)
	var got []string
	layers := map[digest.Digest]bool{}
	for _, one := range index.Manifests {
		var architectures v1.Index
		read(blob(one), &architectures)
		for _, m := range architectures.Manifests {
			var manifest v1.Manifest
			var image v1.Image
			read(blob(m), &manifest)
			read(blob(manifest.Config), &image)
			layers[manifest.Layers[0].Digest] = true
			writable(t, files[blob(manifest.Layers[0])], image.Config.User)
			got = append(got, one.Annotations[annotationName]+" "+m.Platform.Architecture+"="+image.Architecture+" "+image.Config.Env[0])
		}
	}
	var want []string
	for _, version := range []string{"v1", "v2", "v3-bad"} {
		for _, arch := range []string{"amd64", "arm64"} {
			want = append(want, "ghcr.io/clusterlab-dev/hello:"+version+" "+arch+"="+arch+" HELLO_VERSION="+version)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(layers) != 2 {
		t.Errorf("%d layers, want one for each architecture", len(layers))
	}
}

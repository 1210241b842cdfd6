package images

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// entries returns the content of a tar by name: a link as "-> TARGET", a directory as its type.
func entries(t *testing.T, r io.Reader) map[string]string {
	t.Helper()
	got := map[string]string{}
	for in := tar.NewReader(r); ; {
		header, err := in.Next()
		if errors.Is(err, io.EOF) {
			return got
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		switch header.Typeflag {
		case tar.TypeDir:
			got[header.Name] = "directory"
		case tar.TypeSymlink:
			got[header.Name] = "-> " + header.Linkname
		default:
			got[header.Name] = string(content)
		}
	}
}

func TestWriteTree(t *testing.T) {
	t.Parallel()
	source := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(source, []byte("machine code"), 0o700); err != nil {
		t.Fatal(err)
	}
	files := []file{
		{Path: "/etc/config", Content: "old"},
		{Path: "/usr/bin/program", Source: source, Mode: 0o755},
		{Path: "/usr/bin/alias", Link: "program"},
		{Path: "/etc/config", Content: "new"},
	}
	var out, again bytes.Buffer
	if err := writeTree(&out, files); err != nil {
		t.Fatal(err)
	}
	if err := writeTree(&again, files); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("the same files give different layers")
	}
	want := map[string]string{"etc/": "directory", "etc/config": "new", "usr/": "directory", "usr/bin/": "directory",
		"usr/bin/program": "machine code", "usr/bin/alias": "-> program"}
	if diff := cmp.Diff(want, entries(t, &out)); diff != "" {
		t.Errorf("layer (-want +got):\n%s", diff)
	}
}

func TestSaveNamesItsLayers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	layer, err := writeLayer(dir, "layer", []file{{Path: "/hello", Content: "hello"}})
	if err != nil {
		t.Fatal(err)
	}
	img := image{Tags: []string{"lab-testbed/x:v1"}, Config: config{Entrypoint: []string{"/hello"}}, Layers: []string{layer}}
	archive := filepath.Join(dir, "image.tar")
	if err := img.save(archive); err != nil {
		t.Fatal(err)
	}
	data, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	got := entries(t, data)
	var manifest []struct {
		Config           string
		RepoTags, Layers []string
	}
	if err := json.Unmarshal([]byte(got["manifest.json"]), &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest) != 1 || len(manifest[0].Layers) != 1 || got[manifest[0].Layers[0]] == "" || got[manifest[0].Config] == "" {
		t.Errorf("the manifest names files that are not in the archive: %+v", manifest)
	}
	if diff := cmp.Diff(img.Tags, manifest[0].RepoTags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/clusterlab-dev/lab/cmd/internal/probe"
)

// fakePods reads the images of pods from the file "pods" of the fakes.
func fakePods(context.Context, []byte) (all []probe.PodImage, err error) {
	data, err := os.ReadFile(filepath.Join(os.Getenv("FAKE"), "pods"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return all, json.Unmarshal(data, &all)
}

// archive gives a fake engine images: archive FLAVOR NAME...
func archive(ts *testscript.TestScript, _ bool, args []string) {
	dir := filepath.Join(ts.Getenv("FAKE"), args[0], "images")
	ts.Check(os.MkdirAll(dir, 0o700))
	for _, name := range args[1:] {
		ts.Check(os.WriteFile(filepath.Join(dir, url.PathEscape(name)), imageArchive(name), 0o600))
	}
}

// imageArchive returns an archive as docker save writes it, of an image with one layer that consists of text.
func imageArchive(text string) []byte {
	config := `{"architecture":"amd64","os":"linux"}`
	describe := func(mediaType, data string) string {
		return fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%x","size":%d}`, mediaType, sha256.Sum256([]byte(data)), len(data))
	}
	manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}`,
		describe("config.v1+json", config), describe("layer.v1.tar", text))
	index := fmt.Sprintf(`{"schemaVersion":2,"manifests":[%s]}`, describe("manifest.v1+json", manifest))
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	add := func(name, content string) {
		_ = w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), Typeflag: tar.TypeReg}) // a buffer takes everything
		_, _ = w.Write([]byte(content))
	}
	for _, blob := range []string{config, text, manifest} {
		add(fmt.Sprintf("blobs/sha256/%x", sha256.Sum256([]byte(blob))), blob)
	}
	add("index.json", index)
	_ = w.Close()
	return data.Bytes()
}

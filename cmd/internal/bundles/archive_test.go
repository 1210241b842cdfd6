package bundles

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestArchive checks that an image comes out of an archive as it was put into it, and that both kinds of engines find its
// name there.
func TestArchive(t *testing.T) {
	t.Parallel()
	from, to := newMachine(t), newMachine(t)
	const pinned = "docker.io/library/node:v1@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	items := []Item{{Name: web, manifest: from.image(t, "base", "web")}, {Name: pinned, manifest: from.image(t, "base", "node")}}
	file := filepath.Join(t.TempDir(), "images.tar")
	out, err := os.Create(file)
	check(t, err)
	check(t, errors.Join(writeArchive(t.Context(), from.Store, items, out), out.Close()))
	got, err := readArchive(t.Context(), to.Store, file, ocispec.Platform{OS: "linux", Architecture: "amd64"})
	check(t, err)
	if got.Digest != items[0].manifest.Digest {
		t.Errorf("the first image is %s, want %s", got.Digest, items[0].manifest.Digest)
	}
	if missing, err := to.Store.Missing(t.Context(), got); err != nil || len(missing) > 0 {
		t.Errorf("missing: %v, %v", missing, err)
	}
	var index ocispec.Index
	var legacy []dockerImage
	seen := map[string]int{}
	check(t, eachFile(file, func(h *tar.Header, r io.Reader) error {
		seen[h.Name]++
		switch h.Name {
		case ocispec.ImageIndexFile:
			return json.NewDecoder(r).Decode(&index)
		case dockerManifest:
			return json.NewDecoder(r).Decode(&legacy)
		}
		return nil
	}))
	for name, n := range seen {
		if n > 1 {
			t.Errorf("%s is in the archive %d times", name, n)
		}
	}
	var names []string
	for i, m := range index.Manifests {
		names = append(names, m.Annotations["io.containerd.image.name"])
		names = append(names, legacy[i].RepoTags...)
		for _, layer := range append(legacy[i].Layers, legacy[i].Config) {
			if seen[layer] != 1 {
				t.Errorf("%s is not in the archive", layer)
			}
		}
	}
	if diff := cmp.Diff([]string{web, web, pinned, "docker.io/library/node:v1"}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestOldArchive checks that an image is read from an archive of Docker before version 25, which has no digests, and links
// in place of repeated layers.
func TestOldArchive(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	base, top := digest.FromString("base"), digest.FromString("top")
	config, err := json.Marshal(ocispec.Image{RootFS: ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{base, top, base}}})
	check(t, err)
	for lost, want := range map[string]error{"": nil, "b/layer.tar": fault.ErrInvalid} {
		file := filepath.Join(t.TempDir(), "old.tar")
		var data bytes.Buffer
		archive := tar.NewWriter(&data)
		for name, text := range map[string]string{
			"a/layer.tar": "base", "b/layer.tar": "top", "c.json": string(config),
			dockerManifest: `[{"Config":"c.json","RepoTags":["web:v1"],"Layers":["a/layer.tar","b/layer.tar","c/layer.tar"]}]`,
		} {
			if name != lost {
				check(t, addFile(archive, name, int64(len(text)), strings.NewReader(text)))
			}
		}
		check(t, archive.WriteHeader(&tar.Header{Name: "c/layer.tar", Linkname: "../a/layer.tar", Typeflag: tar.TypeSymlink}))
		check(t, errors.Join(archive.Close(), os.WriteFile(file, data.Bytes(), 0o600)))
		d, err := readArchive(t.Context(), m.Store, file, ocispec.Platform{})
		if !errors.Is(err, want) {
			t.Errorf("without %q: %v", lost, err)
		}
		if want != nil {
			continue
		}
		manifest, err := manifestOf(t.Context(), m.Store, d)
		check(t, err)
		if l := manifest.Layers; len(l) != 3 || l[0].Digest != base || l[1].Digest != top || l[2].Digest != base || l[1].Size != 3 {
			t.Errorf("layers: %+v", l)
		}
		if missing, err := m.Store.Missing(t.Context(), d); err != nil || len(missing) > 0 {
			t.Errorf("missing: %v, %v", missing, err)
		}
	}
}

// TestChoose checks that the manifest for the platform is found in indexes, of which the engine may lack parts.
func TestChoose(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	arm, amd := m.image(t, "arm"), m.image(t, "amd")
	arm.Platform, amd.Platform = &ocispec.Platform{OS: "linux", Architecture: "arm64"}, &ocispec.Platform{OS: "linux", Architecture: "amd64"}
	data, err := json.Marshal(ocispec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, Manifests: []ocispec.Descriptor{arm, amd}})
	check(t, err)
	index, err := pushBytes(t.Context(), m.Store, ocispec.MediaTypeImageIndex, data)
	check(t, err)
	lost := descriptorOf(ocispec.MediaTypeImageIndex, []byte("lost"))
	for architecture, want := range map[string]digest.Digest{"amd64": amd.Digest, "arm64": arm.Digest, "s390x": ""} {
		got, err := choose(t.Context(), m.Store, []ocispec.Descriptor{lost, index}, ocispec.Platform{OS: "linux", Architecture: architecture})
		if got.Digest != want || (want == "") != errors.Is(err, fault.ErrNotFound) {
			t.Errorf("%s: %s, %v; want %s", architecture, got.Digest, err, want)
		}
	}
}

// registry serves the content of a machine as the repository library/web, with the tag v1.
func registry(m *machine, root ocispec.Descriptor, status int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := digest.Digest(path.Base(r.URL.Path))
		if d == "v1" {
			d = root.Digest
		}
		blob, err := m.Store.Open(r.Context(), d)
		switch {
		case status != http.StatusOK:
			w.WriteHeader(status)
			return
		case err != nil || !strings.HasPrefix(r.URL.Path, "/v2/library/web/"):
			w.WriteHeader(http.StatusNotFound)
			return
		}
		defer func() { _ = blob.Close() }()
		w.Header().Set("Docker-Content-Digest", d.String())
		w.Header().Set("Content-Length", strconv.FormatInt(blob.Size(), 10))
		w.Header().Set("Content-Type", "application/octet-stream")
		if slices.Contains(strings.Split(r.URL.Path, "/"), "manifests") {
			w.Header().Set("Content-Type", root.MediaType)
		}
		_, _ = io.Copy(w, blob)
	})
}

// TestFromRegistry checks that an image that no engine has comes from its registry, or from the mirror of that, and that
// the errors say what to do.
func TestFromRegistry(t *testing.T) {
	t.Parallel()
	remote := newMachine(t)
	root := remote.image(t, "base", "web")
	for _, test := range []struct {
		image  string
		status int
		kind   error
		hint   string
	}{
		{"web:v1", http.StatusOK, nil, ""},
		{"web:v2", http.StatusOK, fault.ErrNotFound, "check the name"},
		{"web:v1", http.StatusUnauthorized, fault.ErrUnavailable, "docker login"},
		{"web:v1", http.StatusTeapot, fault.ErrUnavailable, "docker pull docker.io/library/web:v1"},
	} {
		server := httptest.NewServer(registry(remote, root, test.status))
		t.Cleanup(server.Close)
		m := newMachine(t)
		m.Registries = map[string]string{"docker.io": strings.TrimPrefix(server.URL, "http://")}
		c := &collector{Bundles: m.Bundles, q: Request{Platform: platform}}
		var got ocispec.Descriptor
		fetch := func() error {
			return c.report.Do("", func(step *event.Step) (err error) {
				got, err = c.fromRegistry(t.Context(), fullName(test.image), step)
				return err
			})
		}
		err := fetch()
		if !errors.Is(err, test.kind) || !strings.Contains(fault.HintOf(err), test.hint) {
			t.Errorf("%s, %d: %v (hint %q)", test.image, test.status, err, fault.HintOf(err))
			continue
		}
		missing, err := m.Store.Missing(t.Context(), root)
		if test.kind == nil && (got.Digest != root.Digest || len(missing) > 0 || err != nil) {
			t.Errorf("%s, and %v are missing, %v", got.Digest, missing, err)
		}
		if test.kind != nil {
			continue
		}
		check(t, os.Remove(m.blobFile(descriptorOf("", []byte("web"))))) // as a cache does that needs space
		check(t, fetch())
		if missing, err := m.Store.Missing(t.Context(), root); len(missing) > 0 || err != nil {
			t.Errorf("after a layer was removed, %v are missing, %v", missing, err)
		}
	}
}

// TestParts checks that the parts of a file are the file, and that a missing or short part is found.
func TestParts(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789", 100)
	name := filepath.Join(t.TempDir(), "class.lab")
	for limit, want := range map[int64]int{0: 1, 300: 4, 1000: 1, 1001: 1, 999: 2} {
		path := name + string(rune('a'+want)) + string(rune('a'+limit%26))
		parts, err := NewParts(path, limit)
		check(t, err)
		for _, chunk := range []string{text[:7], text[7:650], text[650:]} {
			_, err := io.WriteString(parts, chunk)
			check(t, err)
		}
		files, err := parts.Commit()
		check(t, err)
		if len(files) != want {
			t.Errorf("%d: %q, want %d", limit, files, want)
		}
		for _, opened := range []string{path, files[0]} {
			f, err := OpenFile(opened)
			check(t, err)
			_, err = f.Seek(290, io.SeekStart)
			check(t, err)
			data, err := io.ReadAll(f)
			if string(data) != text[290:] || err != nil || f.Size() != 1000 {
				t.Errorf("%d: read %d bytes, %v", limit, len(data), err)
			}
			check(t, f.Close())
		}
		if _, err := NewParts(path, 5); !errors.Is(err, fault.ErrExists) {
			t.Errorf("again: %v", err)
		}
		if limit == 300 {
			check(t, os.Remove(files[2]))
			if f, err := OpenFile(path); err == nil && f.Size() == 1000 {
				t.Error("a part is missing, and no error")
			}
			check(t, os.Truncate(files[0], 299))
			if _, err := OpenFile(path); !errors.Is(err, fault.ErrForeign) || !strings.Contains(err.Error(), "incomplete") {
				t.Errorf("a short part: %v", err)
			}
		}
	}
}

// TestDiscard checks that nothing is left of a file that is not complete.
func TestDiscard(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	parts, err := NewParts(filepath.Join(dir, "class.lab"), 2)
	check(t, err)
	_, err = io.WriteString(parts, "12345")
	check(t, err)
	parts.Discard()
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

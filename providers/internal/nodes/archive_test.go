//go:build !windows

package nodes

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "images.tar")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNamesIn(t *testing.T) {
	t.Parallel()
	saved := dockertest.Tar("manifest.json", `[{"RepoTags":["web:v1","registry.corp/shop/web:v2"]},{"RepoTags":null}]`)
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write([]byte(saved))
	_ = w.Close()
	packer, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := packer.EncodeAll([]byte(saved), nil)
	want := []named{{raw: "web:v1", full: "docker.io/library/web:v1"}, {raw: "registry.corp/shop/web:v2", full: "registry.corp/shop/web:v2"}}
	for name, test := range map[string]struct {
		content string
		want    []named
	}{
		"saved":  {saved, want},
		"gzip":   {zipped.String(), want},
		"zstd":   {string(packed), want},
		"layout": {dockertest.Tar("./index.json", `{"manifests":[{"annotations":{"io.containerd.image.name":"docker.io/shop/web:v1","org.opencontainers.image.ref.name":"v1"}},{}]}`), []named{{raw: "docker.io/shop/web:v1", full: "docker.io/shop/web:v1"}}},
		"short":  {dockertest.Tar("index.json", `{"manifests":[{"annotations":{"org.opencontainers.image.ref.name":"shop/web:v1"}}]}`), []named{{raw: "shop/web:v1", full: "docker.io/shop/web:v1"}}},
	} {
		got, err := namesIn(file(t, test.content))
		if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(named{})); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	for name, test := range map[string]struct{ content, says, hint string }{
		"no names":    {dockertest.Tar("index.json", `{"manifests":[{}]}`), "no image in", "docker tag"},
		"a tag only":  {dockertest.Tar("index.json", `{"manifests":[{"annotations":{"org.opencontainers.image.ref.name":"v1"}}]}`), "no image in", "docker tag"},
		"saved by id": {dockertest.Tar("manifest.json", `[{"RepoTags":null}]`), "no image in", "docker tag"},
		"another tar": {dockertest.Tar("notes.txt", "hello"), "neither manifest.json nor index.json", "docker save"},
		"a text":      {"FROM scratch\n", "is not an image archive", "docker save"},
		"empty":       {"", "it is empty", "docker save"},
		"broken":      {saved[:560], "is not an image archive", "docker save"},
		"no JSON":     {dockertest.Tar("manifest.json", "{"), "manifest.json: ", "docker save"},
		"half a gzip": {zipped.String()[:20], "is not an image archive", "docker save"},
	} {
		_, err := namesIn(file(t, test.content))
		if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), test.says) || !strings.Contains(fault.HintOf(err), test.hint) {
			t.Errorf("%s: %v, hint %q", name, err, fault.HintOf(err))
		}
	}
}

func FuzzNamesOf(f *testing.F) {
	f.Add([]byte(`[{"RepoTags":["web:v1"]}]`), []byte(`{"manifests":[{"annotations":{"org.opencontainers.image.ref.name":"a/b:v1"}}]}`))
	f.Fuzz(func(t *testing.T, manifest, index []byte) {
		names, err := namesOf(manifest, index)
		for _, n := range names {
			if err != nil || n.raw == "" || !strings.Contains(n.full, "/") {
				t.Errorf("%+v, %v", n, err)
			}
		}
	})
}

// TestImportNamed checks that images get their full names, which the kubelet uses, and that an
// image missing after an import is an error.
func TestImportNamed(t *testing.T) {
	archive := file(t, dockertest.Tar("index.json", `{"manifests":[{"annotations":{"org.opencontainers.image.ref.name":"shop/web:v1"}}]}`))
	names, err := namesIn(archive)
	if err != nil {
		t.Fatal(err)
	}
	node := docker.Container{ID: "1", Name: "lab-control-plane"}
	const ctr = "exec 1 ctr --namespace=k8s.io images "
	for has, want := range map[string]string{
		"docker.io/shop/web:v1\n": "",
		"shop/web:v1\n":           ctr + "tag --force shop/web:v1 docker.io/shop/web:v1",
		"docker.io/shop/web:v2\n": "node lab-control-plane does not have the image docker.io/shop/web:v1 after the import",
	} {
		d := dockertest.Script(t, dockertest.Answer{Args: "exec --interactive 1 ctr"}, dockertest.Answer{Args: ctr + "ls", Stdout: has}, dockertest.Answer{Args: ctr + "tag"})
		err := importNamed(t.Context(), node, archive, names)
		switch calls := d.Calls(t); {
		case strings.HasPrefix(want, "node"):
			if err == nil || err.Error() != want {
				t.Errorf("%q: %v", has, err)
			}
		case err != nil || want != "" && !slices.Contains(calls, want) || want == "" && len(calls) != 2:
			t.Errorf("%q: %v, %q", has, err, calls)
		}
	}
}

// TestImportTwice checks that an archive is sent to a node once: not again if the node has every image by its name and
// digest, and again if one of them has another digest or is missing.
func TestImportTwice(t *testing.T) {
	archive := file(t, dockertest.Tar("index.json", `{"manifests":[
		{"digest":"sha256:1","annotations":{"io.containerd.image.name":"docker.io/shop/web:v1","org.opencontainers.image.ref.name":"v1"}},
		{"digest":"sha256:2","annotations":{"io.containerd.image.name":"docker.io/shop/db:v1"}}]}`))
	names, err := namesIn(archive)
	if err != nil {
		t.Fatal(err)
	}
	const header, web, db = "REF TYPE DIGEST SIZE PLATFORMS LABELS\n", "docker.io/shop/web:v1 application/json sha256:1 1.0 MiB linux/amd64 -\n", "docker.io/shop/db:v1 application/json sha256:2 1.0 MiB linux/amd64 -\n"
	for has, sent := range map[string]bool{
		header + web + db: false,
		header + web + strings.Replace(db, "sha256:2", "sha256:3", 1): true,
	} {
		d := dockertest.Script(t, dockertest.Answer{Args: "exec --interactive 1 ctr"}, dockertest.Answer{Args: "exec 1 ctr --namespace=k8s.io images ls", Stdout: has})
		if err := importNamed(t.Context(), docker.Container{ID: "1", Name: "lab-control-plane"}, archive, names); err != nil {
			t.Error(err)
		}
		if got := slices.Contains(d.Calls(t), "exec --interactive 1 ctr --namespace=k8s.io images import -"); got != sent {
			t.Errorf("%q: sent %t, want %t", has, got, sent)
		}
	}
}

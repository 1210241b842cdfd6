package charts_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// artifacts is a registry with one artifact. It has the given number of layers with the same content.
func artifacts(t *testing.T, content string, layers int) (host, manifestDigest string) {
	t.Helper()
	layer := map[string]any{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest.FromString(content), "size": len(content)}
	all := []any{}
	for range layers {
		all = append(all, layer)
	}
	manifest, err := json.Marshal(map[string]any{"schemaVersion": 2, "layers": all})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/v2/packs/mine/manifests/{reference}", func(w http.ResponseWriter, r *http.Request) {
		if got := r.PathValue("reference"); got != "v1" && got != digest.FromBytes(manifest).String() {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		w.Header().Set("Docker-Content-Digest", digest.FromBytes(manifest).String())
		_, _ = w.Write(manifest)
	})
	mux.HandleFunc("/v2/packs/mine/blobs/", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, content) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://"), digest.FromBytes(manifest).String()
}

// TestArtifact: the only layer of an artifact, by tag and by digest.
func TestArtifact(t *testing.T) {
	t.Parallel()
	host, want := artifacts(t, "a pack", 1)
	for _, version := range []string{":v1", "@" + want} {
		data, got, err := store(t.TempDir(), false).Artifact(t.Context(), "oci://"+host+"/packs/mine"+version, 100)
		if err != nil || got != want || !bytes.Equal(data, []byte("a pack")) {
			t.Errorf("%s: %q, %s, %v", version, data, got, err)
		}
	}
}

func TestArtifactRefuses(t *testing.T) {
	t.Parallel()
	one, _ := artifacts(t, "a pack", 1)
	two, _ := artifacts(t, "a pack", 2)
	for reference, test := range map[string]struct {
		kind error
		says string
	}{
		"oci://" + one + "/packs/mine":    {fault.ErrInvalid, "names no version"},
		"oci://" + one + "/packs/mine:v2": {fault.ErrNotFound, "has no such"},
		"oci://" + one + "/packs/mine:v1": {fault.ErrInvalid, "larger than"},
		"oci://" + two + "/packs/mine:v1": {fault.ErrInvalid, "has 2 layers"},
		"oci://":                          {fault.ErrInvalid, "is not a URL"},
	} {
		_, _, err := store(t.TempDir(), false).Artifact(t.Context(), reference, 3)
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", reference, err, test.says)
		}
	}
}

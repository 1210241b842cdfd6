package dockertest

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// Having returns the answers of a docker that has these containers, and the networks that
// they are in.
func Having(t *testing.T, containers ...docker.Container) []Answer {
	t.Helper()
	ids := make([]string, len(containers))
	networks := map[string]string{}
	for i, c := range containers {
		ids[i] = c.ID
		for name, endpoint := range c.NetworkSettings.Networks {
			networks[name] = endpoint.NetworkID + " " + name + " "
		}
	}
	text, err := json.Marshal(containers)
	if err != nil {
		t.Fatal(err)
	}
	return []Answer{
		{Args: "ps --all --quiet", Stdout: strings.Join(ids, "\n")},
		{Args: "inspect --type=container", Stdout: string(text)},
		{Args: "network ls --no-trunc --format {{.ID}} {{.Name}} {{.Labels}}", Stdout: strings.Join(slices.Sorted(maps.Values(networks)), "\n")},
	}
}

// File returns what docker cp prints for a file.
func File(text string) string { return Tar("file", text) }

// Tar returns an archive of one file.
func Tar(name, text string) string { return string(archive(name, text)) }

// archive returns a tar archive of one file.
func archive(name, text string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	_ = w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text))}) // into memory: never fails
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.Bytes()
}

// Images writes an archive as docker save does, of images with these names and no content.
func Images(t *testing.T, names ...string) (path string) {
	t.Helper()
	index, err := json.Marshal([]map[string][]string{{"RepoTags": names}})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "image.tar")
	if err := os.WriteFile(path, []byte(Tar("manifest.json", string(index))), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

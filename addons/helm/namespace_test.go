package helm

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/charts"
)

// TestInstallAwaitsDeletion: an interrupted removal leaves a namespace that is being deleted,
// and the API server refuses whatever would be created in it.
func TestInstallAwaitsDeletion(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "Chart.yaml"), []byte("apiVersion: v2\nname: shop\nversion: 1.0.0\n"), 0o600))
	archive, err := charts.New(charts.Options{}).Chart(t.Context(), addons.Chart{Path: dir})
	must(t, err)
	server, kubeconfig := newAPIServer(t)
	const key = "v1/namespaces//shop"
	server.objects[key] = map[string]any{
		"kind": "Namespace", "apiVersion": "v1",
		"metadata": map[string]any{"name": "shop", "uid": "old", "deletionTimestamp": "2026-01-01T00:00:00Z"},
	}
	waited := false
	moved := func(what string) {
		if strings.Contains(what, "namespace shop is deleted") {
			server.mu.Lock()
			defer server.mu.Unlock()
			delete(server.objects, key)
			waited = true
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r := addons.Release{Addon: addons.Addon{Name: "shop", Namespace: "shop"}, Chart: archive}
	if _, err := (Installer{}).Install(ctx, addons.Cluster{Kubeconfig: kubeconfig}, r, moved); err != nil {
		t.Fatal(err)
	}
	if _, again := server.objects[key]; !waited || !again {
		t.Errorf("waited for the old namespace: %v; created it again: %v", waited, again)
	}
}

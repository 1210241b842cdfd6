package helm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/addons/charts"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// installed returns a server with the addon shop installed, and what Remove needs.
func installed(t *testing.T, files map[string]string) (*apiServer, addons.Cluster, addons.Addon) {
	t.Helper()
	server, kubeconfig := newAPIServer(t)
	c, a := addons.Cluster{Kubeconfig: kubeconfig}, addons.Addon{Name: "shop"}
	if _, err := (Installer{}).Install(t.Context(), c, addons.Release{Addon: a, Chart: addontest.Chart("shop", "1.0.0", files)}, nil); err != nil {
		t.Fatal(err)
	}
	return server, c, a
}

func (s *apiServer) has(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[key] != nil
}

// TestRemoveKeepsAddonWhileAPIIsUnavailable: an addon whose namespace could not be deleted is not
// forgotten, and the error names the API that is not available. Once it is, the same command
// finishes the removal.
func TestRemoveKeepsAddonWhileAPIIsUnavailable(t *testing.T) {
	t.Parallel()
	server, c, a := installed(t, map[string]string{"templates/a.yaml": addontest.ConfigMap("settings", "x")})
	server.mu.Lock()
	server.broken = "stats.example.org/v1"
	server.objects["apiregistration.k8s.io/v1/apiservices//v1.stats.example.org"] = map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": map[string]any{"name": "v1.stats.example.org"},
		"status": map[string]any{"conditions": []any{map[string]any{"type": "Available", "status": "False", "message": "service/stats in shop is not present"}}},
	}
	server.mu.Unlock()
	impatient := Installer{settling: time.Nanosecond}
	if _, err := impatient.Remove(t.Context(), c, a, nil); err == nil || !strings.Contains(err.Error(), "did not answer in time") {
		t.Errorf("before the first answer: %v", err)
	}
	i := Installer{settling: time.Second}
	kept, err := i.Remove(t.Context(), c, a, nil)
	const want = "APIService v1.stats.example.org is not available: service/stats in shop is not present: cannot list the objects in namespace shop"
	if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(fault.HintOf(err), "kubectl delete apiservice v1.stats.example.org") || len(kept) > 0 {
		t.Errorf("got  %v (hint %q), kept %v\nwant %s", err, fault.HintOf(err), kept, want)
	}
	if list, err := i.List(t.Context(), c); len(list) != 1 || err != nil || !server.has("v1/namespaces//shop") {
		t.Errorf("it was forgotten: %v, %v", list, err)
	}
	server.mu.Lock()
	server.broken = ""
	server.mu.Unlock()
	if kept, err := i.Remove(t.Context(), c, a, nil); err != nil || len(kept) > 0 {
		t.Errorf("once the API is available: %v, %v", kept, err)
	}
	if list, err := i.List(t.Context(), c); len(list) > 0 || err != nil || server.has("v1/namespaces//shop") {
		t.Errorf("it was not removed: %v, %v", list, err)
	}
}

// TestRemoveSaysWhatItWaitsFor: an interrupted removal names the object that is not deleted yet,
// the first time and the next.
func TestRemoveSaysWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	ending := func(kind, name, namespace string) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": kind, "metadata": map[string]any{
			"name": name, "namespace": namespace, "finalizers": []any{"example.org/wait"}, "deletionTimestamp": "2026-01-01T00:00:00Z",
		}}
	}
	for what, test := range map[string]struct {
		key, want string
		object    map[string]any
	}{
		"an object in the namespace": {"v1/configmaps/shop/stuck", "ConfigMap stuck in namespace shop is not deleted yet", ending("ConfigMap", "stuck", "shop")},
		"an object of the release":   {"v1/configmaps/shop/settings", "ConfigMap settings is not deleted yet: its finalizers are", nil},
		"the namespace":              {"v1/namespaces//shop", "namespace shop is not deleted yet", nil},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			server, c, a := installed(t, map[string]string{"templates/a.yaml": addontest.ConfigMap("settings", "x")})
			server.mu.Lock()
			if test.object != nil {
				server.objects[test.key] = test.object
			}
			server.objects[test.key]["metadata"].(map[string]any)["finalizers"] = []any{"example.org/wait"}
			server.mu.Unlock()
			for range 2 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				_, err := Installer{}.Remove(ctx, c, a, func(text string) {
					if strings.HasPrefix(text, "waiting until") {
						cancel()
					}
				})
				cancel()
				if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %q", err, test.want)
				}
			}
		})
	}
}

// TestRemoveDeletesHooks: objects that hooks left are deleted wherever they are, if lab created
// them. Others of their names are kept and named.
func TestRemoveDeletesHooks(t *testing.T) {
	t.Parallel()
	role := func(name, annotations string) string {
		return "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: " + name + ", annotations: {helm.sh/hook: pre-install" + annotations + "}}\n"
	}
	server, c, a := installed(t, map[string]string{
		"templates/a.yaml": role("mine", ""), "templates/b.yaml": role("unmarked", ""), "templates/c.yaml": role("wanted", ", helm.sh/resource-policy: keep"),
		"templates/d.yaml": role("foreign", ""), "templates/e.yaml": role("deleted", ", helm.sh/hook-delete-policy: hook-succeeded"),
	})
	const roles = "rbac.authorization.k8s.io/v1/clusterroles//"
	metadata := func(name string) map[string]any { return server.objects[roles+name]["metadata"].(map[string]any) }
	delete(metadata("unmarked"), "labels")
	delete(metadata("foreign"), "annotations")
	if server.has(roles + "deleted") {
		t.Fatal("the delete policy has no effect")
	}
	kept, err := Installer{}.Remove(t.Context(), c, a, nil)
	expect := map[string]string{"unmarked": "unknown whether lab created", "wanted": keepAnnotation}
	if err != nil || len(kept) != len(expect) {
		t.Errorf("kept %v, %v", kept, err)
	}
	for _, k := range kept {
		if want := expect[k.Object.Name]; want == "" || !strings.Contains(k.Reason, want) || !k.Own {
			t.Errorf("%+v, want %q", k, want)
		}
	}
	if server.has(roles+"mine") || !server.has(roles+"unmarked") || !server.has(roles+"wanted") || !server.has(roles+"foreign") {
		t.Error("the wrong objects were deleted")
	}
}

// TestInstallAwaitsDeletion: an installation waits for a namespace that an interrupted removal is
// deleting, because nothing can be created in it.
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

// TestRemoveReportsUnowned: objects of the directory crds that lab created stay and are named. Those that existed before
// are not touched.
func TestRemoveReportsUnowned(t *testing.T) {
	t.Parallel()
	role := func(name string) string {
		return "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: " + name + "}\n"
	}
	server, kubeconfig := newAPIServer(t)
	const before = "rbac.authorization.k8s.io/v1/clusterroles//before"
	server.objects[before] = map[string]any{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": map[string]any{"name": "before"}}
	c, a := addons.Cluster{Kubeconfig: kubeconfig}, addons.Addon{Name: "shop"}
	r := addons.Release{Addon: a, Chart: addontest.Chart("shop", "1.0.0", map[string]string{
		"crds/roles.yaml":   role("readers") + "---\n" + role("before"),
		"crds/other.yaml":   "{apiVersion: v1, kind: Namespace, metadata: {name: other}}",
		"templates/cm.yaml": addontest.ConfigMap("settings", "x"),
	})}
	if _, err := (Installer{}).Install(t.Context(), c, r, nil); err != nil {
		t.Fatal(err)
	}
	kept, err := (Installer{}).Remove(t.Context(), c, a, nil)
	if err != nil || len(kept) != 1 || kept[0].Object.String() != "ClusterRole readers" || !kept[0].Own || !strings.Contains(kept[0].Reason, "the directory crds") {
		t.Errorf("kept %v, %v", kept, err)
	}
	for _, key := range []string{before, "rbac.authorization.k8s.io/v1/clusterroles//readers", "v1/namespaces//other"} {
		if !server.has(key) {
			t.Errorf("%s was deleted, or never created", key)
		}
	}
	if server.has("v1/namespaces//shop") {
		t.Error("the namespace of the addon stays")
	}
}

// TestUnreadableUnowned: a document in the directory crds that is not an object is refused before anything is created.
func TestUnreadableUnowned(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{
		"no kind":    "resources: [a.yaml]\n",
		"no name":    "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]\n",
		"not YAML":   "kind: [\n",
		"no version": "kind: ConfigMap\nmetadata: {name: x}\n",
	} {
		err := (Installer{}).Check(addons.Release{Addon: addons.Addon{Name: "shop"}, Chart: addontest.Chart("shop", "1.0.0", map[string]string{"crds/a.yaml": text})}, "")
		if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "shop/crds/a.yaml") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

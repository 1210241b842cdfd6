package addontest

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers"
)

// definitions come before what is made of them, in new versions, too, and go when nothing
// is of their kind.
func (h Harness) definitions(t *testing.T) {
	r := release("defines", "1.0.0", map[string]string{"crds/d.yaml": Definition("defines.example.org", "Shop", h.Large, "a")})
	h.define(t, r)
	kind := addons.Object{Kind: "CustomResourceDefinition", Name: "shops.defines.example.org"}
	h.expect(t, kind, "Shop")
	h.install(t, r)
	r = release("defines", "2.0.0", map[string]string{"crds/d.yaml": Definition("defines.example.org", "Shop", h.Large, "a", "fresh")})
	h.define(t, r)
	h.expect(t, kind, "fresh")
	h.install(t, r)
	h.define(t, r)
	if kept := h.remove(t, "defines"); len(kept) > 0 {
		t.Errorf("it keeps %v", kept)
	}
	h.absent(t, kind)
}

func (h Harness) othersDefinitions(t *testing.T) {
	d := Definition("others.example.org", "Car", 10, "a")
	h.Make(t, d)
	r := release("others", "1.0.0", map[string]string{"crds/d.yaml": d, "templates/a.yaml": ConfigMap("settings", "x")})
	h.define(t, r)
	h.install(t, r)
	h.remove(t, "others")
	h.expect(t, addons.Object{Kind: "CustomResourceDefinition", Name: "cars.others.example.org"}, "Car")
}

func (h Harness) removes(t *testing.T) {
	r := one("removes", "1.0.0", "hello")
	h.install(t, r)
	if kept := h.remove(t, "removes"); len(kept) > 0 {
		t.Errorf("it keeps %v", kept)
	}
	h.absent(t, settings("removes"))
	h.absent(t, addons.Object{Kind: "Namespace", Name: "ns-removes"})
	if _, ok := h.find(t, "removes"); ok {
		t.Error("it is listed")
	}
	h.install(t, r) // and can come again
	h.expect(t, settings("removes"), "hello")
}

// keeps: what others need stays, and it is said.
func (h Harness) keeps(t *testing.T) {
	r := release("keeps", "1.0.0", map[string]string{
		"crds/d.yaml": Definition("keeps.example.org", "Book", 10, "a"), "templates/a.yaml": ConfigMap("settings", "x"),
	})
	h.define(t, r)
	h.install(t, r)
	h.Make(t, "apiVersion: keeps.example.org/v1\nkind: Book\nmetadata: {name: mine, namespace: default}\n")
	h.Make(t, `apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: ns-keeps}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}
`)
	kept := map[string]bool{}
	for _, k := range h.remove(t, "keeps") {
		kept[k.Object.String()] = k.Reason != ""
	}
	want := map[string]bool{"CustomResourceDefinition books.keeps.example.org": true, "Namespace ns-keeps": true}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	h.expect(t, addons.Object{Kind: "PersistentVolumeClaim", Namespace: "ns-keeps", Name: "data"}, "data")
	h.absent(t, settings("keeps"))
}

func (h Harness) unknown(t *testing.T) {
	if _, err := h.Installer.Remove(t.Context(), h.Cluster, "unknown", nil); !errors.Is(err, providers.ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
}

func (h Harness) preview(t *testing.T) {
	r := release("preview", "1.0.0", map[string]string{
		"templates/a.yaml": ConfigMap("settings", "old"), "templates/b.yaml": ConfigMap("more", "x"), "templates/c.yaml": ConfigMap("same", "x"),
	})
	first, err := h.Installer.Preview(t.Context(), h.Cluster, r)
	if err != nil || len(first) != 3 || first[0].Verb != "add" {
		t.Errorf("before it is there: %v, %v", first, err)
	}
	h.absent(t, settings("preview"))
	h.install(t, r)
	if same, err := h.Installer.Preview(t.Context(), h.Cluster, r); err != nil || len(same) > 0 {
		t.Errorf("of what is there: %v, %v", same, err)
	}
	r = release("preview", "2.0.0", map[string]string{
		"templates/a.yaml": ConfigMap("settings", "new"), "templates/c.yaml": ConfigMap("same", "x"), "templates/d.yaml": ConfigMap("fresh", "x"),
	})
	changes, err := h.Installer.Preview(t.Context(), h.Cluster, r)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range changes {
		got[c.Object.Name] = c.Verb
	}
	want := map[string]string{"settings": "change", "more": "remove", "fresh": "add"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	h.expect(t, settings("preview"), "old")
}

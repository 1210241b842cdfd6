package addontest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// definitions are created before their objects, also in new versions, and deleted if they have no
// objects.
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

// othersDefinitions are not changed. Define returns those that differ from the chart's.
func (h Harness) othersDefinitions(t *testing.T) {
	d := Definition("others.example.org", "Car", 10, "a")
	h.Make(t, d)
	r := release("others", "1.0.0", map[string]string{"crds/d.yaml": d, "templates/a.yaml": ConfigMap("settings", "x")})
	expectKept(t, h.define(t, r))
	h.install(t, r)
	const name = "CustomResourceDefinition cars.others.example.org"
	kind := addons.Object{Kind: "CustomResourceDefinition", Name: "cars.others.example.org"}
	r = release("others", "2.0.0", map[string]string{"crds/d.yaml": Definition("others.example.org", "Car", 20, "fresh")})
	expectKept(t, h.define(t, r), name)
	if text, _ := h.Read(t, kind); strings.Contains(text, "fresh") {
		t.Error("the definition was changed")
	}
	h.remove(t, "others")
	h.expect(t, kind, "Car")
}

// sharedDefinitions are deleted with the last addon that has them. No addon changes them for others.
func (h Harness) sharedDefinitions(t *testing.T) {
	const name = "CustomResourceDefinition boats.shared.example.org"
	kind := addons.Object{Kind: "CustomResourceDefinition", Name: "boats.shared.example.org"}
	with := func(addon string, fields ...string) addons.Release {
		return release(addon, "1.0.0", map[string]string{"crds/d.yaml": Definition("shared.example.org", "Boat", 10, fields...)})
	}
	for _, addon := range []string{"shares-a", "shares-b"} {
		expectKept(t, h.define(t, with(addon, "first")))
		h.install(t, with(addon, "first"))
	}
	expectKept(t, h.define(t, with("shares-c", "other")), name)
	h.install(t, with("shares-c", "other"))
	h.expect(t, kind, "first")
	kept := h.remove(t, "shares-a")
	expectKept(t, kept, name)
	expectOwn(t, kept, name, false)
	h.expect(t, kind, "Boat")
	expectKept(t, h.remove(t, "shares-c"), name)
	h.expect(t, kind, "Boat")
	h.define(t, with("shares-d", "first")) // and is never installed, so it needs nothing
	expectKept(t, h.remove(t, "shares-b"))
	h.absent(t, kind)
}

// chartsDefinitions are templates of a chart. They are kept while they have objects, also if a new
// version of the chart lacks them.
func (h Harness) chartsDefinitions(t *testing.T) {
	const name = "CustomResourceDefinition trees.templates.example.org"
	kind := addons.Object{Kind: "CustomResourceDefinition", Name: "trees.templates.example.org"}
	r := release("templates", "1.0.0", map[string]string{"templates/d.yaml": Definition("templates.example.org", "Tree", 10, "a")})
	h.install(t, r)
	h.Make(t, "apiVersion: templates.example.org/v1\nkind: Tree\nmetadata: {name: mine, namespace: default}\n")
	tree := addons.Object{Kind: "Tree", Namespace: "default", Name: "mine"}
	h.install(t, release("templates", "2.0.0", map[string]string{"templates/a.yaml": ConfigMap("settings", "x")}))
	h.expect(t, tree, "mine")
	expectKept(t, h.remove(t, "templates"), name)
	h.expect(t, tree, "mine")
	h.expect(t, kind, "Tree")
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

// keeps: what other objects need is kept, with a reason.
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
	kept := h.remove(t, "keeps")
	expectKept(t, kept, "CustomResourceDefinition books.keeps.example.org", "Namespace ns-keeps")
	expectOwn(t, kept, "CustomResourceDefinition books.keeps.example.org", true)
	expectOwn(t, kept, "Namespace ns-keeps", true)
	h.expect(t, addons.Object{Kind: "PersistentVolumeClaim", Namespace: "ns-keeps", Name: "data"}, "data")
	h.absent(t, settings("keeps"))
}

// keepsNamespaces: an object of any kind keeps its namespace.
func (h Harness) keepsNamespaces(t *testing.T) {
	kinds := addons.Object{Kind: "CustomResourceDefinition", Name: "notes.anykind.example.org"}
	h.Make(t, Definition("anykind.example.org", "Note", 10, "a"))
	for kind, manifest := range map[string]string{
		"ConfigMap":     "apiVersion: v1\n",
		"Secret":        "apiVersion: v1\n",
		"Service":       "apiVersion: v1\nspec: {clusterIP: None, ports: [{port: 80}]}\n",
		"Lease":         "apiVersion: coordination.k8s.io/v1\n",
		"Role":          "apiVersion: rbac.authorization.k8s.io/v1\n",
		"StatefulSet":   "apiVersion: apps/v1\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: c}]}}}\n",
		"CronJob":       "apiVersion: batch/v1\nspec: {schedule: '0 0 1 1 *', jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: c, image: c}]}}}}}\n",
		"NetworkPolicy": "apiVersion: networking.k8s.io/v1\nspec: {podSelector: {}}\n",
		"Note":          "apiVersion: anykind.example.org/v1\n",
	} {
		name := "holds-" + strings.ToLower(kind)
		r := one(name, "1.0.0", "hello")
		h.install(t, r)
		h.Make(t, manifest+"kind: "+kind+"\nmetadata: {name: mine, namespace: ns-"+name+"}\n")
		kept := h.remove(t, name)
		expectKept(t, kept, "Namespace ns-"+name)
		if len(kept) > 0 && !strings.Contains(kept[0].Reason, kind) {
			t.Errorf("the reason %q does not name the %s", kept[0].Reason, kind)
		}
		h.expect(t, addons.Object{Kind: kind, Namespace: "ns-" + name, Name: "mine"}, "mine")
	}
	h.expect(t, kinds, "Note")
}

// sharedNamespaces are deleted with the last addon in them. Until then they are not one addon's
// own, and neither is one that an addon found when it was installed.
func (h Harness) sharedNamespaces(t *testing.T) {
	in := func(name string) addons.Release {
		r := release(name, "1.0.0", map[string]string{"templates/a.yaml": ConfigMap("settings-"+name, "x")})
		r.Addon.Namespace = "ns-together"
		return r
	}
	const namespace = "Namespace ns-together"
	for _, name := range []string{"together-a", "together-b", "together-c"} {
		h.install(t, in(name))
	}
	kept := h.removeAddon(t, in("together-a").Addon)
	expectKept(t, kept, namespace)
	expectOwn(t, kept, namespace, false)
	h.Make(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine, namespace: ns-together}\n")
	mine := addons.Object{Kind: "ConfigMap", Namespace: "ns-together", Name: "mine"}
	h.removeAddon(t, in("together-b").Addon)
	kept = h.removeAddon(t, in("together-c").Addon)
	expectKept(t, kept, namespace)
	expectOwn(t, kept, namespace, false)
	h.expect(t, mine, "mine")
	h.Delete(t, mine)
	h.install(t, in("together-c"))
	expectKept(t, h.removeAddon(t, in("together-c").Addon))
	h.absent(t, addons.Object{Kind: "Namespace", Name: "ns-together"})
}

// hooks: what hooks of the chart created is deleted, in the cluster and in other namespaces. An
// object of a hook's name that another program created is kept.
func (h Harness) hooks(t *testing.T) {
	const annotations = "annotations: {helm.sh/hook: pre-install}"
	role := func(name string) string {
		return "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: " + name + ", " + annotations + "}\nrules: []\n"
	}
	r := release("hooks", "1.0.0", map[string]string{
		"templates/a.yaml": ConfigMap("settings", "x"),
		"templates/b.yaml": role("hooks-role"), "templates/c.yaml": role("hooks-replaced"),
		"templates/d.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: hooks-elsewhere, namespace: default, " + annotations + "}\n",
	})
	h.install(t, r)
	replaced := addons.Object{Kind: "ClusterRole", Name: "hooks-replaced"}
	h.Delete(t, replaced)
	h.Make(t, role("hooks-replaced"))
	expectKept(t, h.remove(t, "hooks"), "ClusterRole hooks-replaced")
	h.expect(t, replaced, "")
	h.absent(t, addons.Object{Kind: "ClusterRole", Name: "hooks-role"})
	h.absent(t, addons.Object{Kind: "ConfigMap", Namespace: "default", Name: "hooks-elsewhere"})
	h.absent(t, addons.Object{Kind: "Namespace", Name: "ns-hooks"})
}

// othersNamespaces existed before, and are kept.
func (h Harness) othersNamespaces(t *testing.T) {
	h.Make(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: ns-before}\n")
	h.install(t, one("before", "1.0.0", "hello"))
	expectKept(t, h.remove(t, "before"))
	h.absent(t, settings("before"))
	h.expect(t, addons.Object{Kind: "Namespace", Name: "ns-before"}, "")
}

// copiedNamespaces have the labels of the addon, but it did not create them, so they are kept.
func (h Harness) copiedNamespaces(t *testing.T) {
	extra := addons.Object{Kind: "Namespace", Name: "copied-extra"}
	r := release("copied", "1.0.0", map[string]string{"templates/a.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: copied-extra}\n"})
	h.install(t, r)
	home := addons.Object{Kind: "Namespace", Name: "ns-copied"}
	h.copy(t, home, "copied-mine")
	h.copy(t, extra, "copied-mine-too")
	h.remove(t, "copied")
	h.absent(t, home)
	h.absent(t, extra)
	for _, name := range []string{"copied-mine", "copied-mine-too"} {
		h.expect(t, addons.Object{Kind: "Namespace", Name: name}, "")
	}
}

// leftovers: objects that an addon's programs create are deleted with it.
func (h Harness) leftovers(t *testing.T) {
	r := one("leaves", "1.0.0", "hello")
	r.Addon.Leftovers = []addons.Object{{Kind: "Secret", Name: "created-by-it"}}
	h.install(t, r)
	h.Make(t, "apiVersion: v1\nkind: Secret\nmetadata: {name: created-by-it, namespace: ns-leaves}\n")
	expectKept(t, h.removeAddon(t, r.Addon))
	h.absent(t, addons.Object{Kind: "Namespace", Name: "ns-leaves"})
}

// replaced: an object that has a name from the chart but does not belong to it is kept.
func (h Harness) replaced(t *testing.T) {
	h.install(t, one("replaced", "1.0.0", "hello"))
	h.Delete(t, settings("replaced"))
	h.Make(t, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: ns-replaced}\ndata: {text: mine}\n")
	expectKept(t, h.remove(t, "replaced"), "ConfigMap ns-replaced/settings", "Namespace ns-replaced")
	h.expect(t, settings("replaced"), "mine")
}

func (h Harness) unknown(t *testing.T) {
	if _, err := h.Installer.Remove(t.Context(), h.Cluster, addons.Addon{Name: "unknown"}, nil); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("%v, want ErrNotFound", err)
	}
}

func (h Harness) preview(t *testing.T) {
	r := release("preview", "1.0.0", map[string]string{
		"templates/a.yaml": ConfigMap("settings", "old"), "templates/b.yaml": ConfigMap("more", "x"), "templates/c.yaml": ConfigMap("same", "x"),
	})
	first, err := h.Installer.Preview(t.Context(), h.Cluster, r)
	if err != nil || len(first) != 3 || first[0].Verb != "add" {
		t.Errorf("before the installation: %v, %v", first, err)
	}
	h.absent(t, settings("preview"))
	h.install(t, r)
	if same, err := h.Installer.Preview(t.Context(), h.Cluster, r); err != nil || len(same) > 0 {
		t.Errorf("without a change: %v, %v", same, err)
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

package addontest

import (
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/addons"
)

// release is an addon with a chart of its name. Each rule uses other names, so that all rules share a
// cluster.
func release(name, version string, files map[string]string) addons.Release {
	return addons.Release{Addon: addons.Addon{Name: name, Namespace: "ns-" + name}, Chart: Chart(name, version, files)}
}

// one is a release of one ConfigMap.
func one(name, version, text string) addons.Release {
	return release(name, version, map[string]string{"templates/a.yaml": ConfigMap("settings", text)})
}

// settings is the ConfigMap of one.
func settings(name string) addons.Object {
	return addons.Object{Kind: "ConfigMap", Namespace: "ns-" + name, Name: "settings"}
}

func (h Harness) install(t *testing.T, r addons.Release) addons.Installed {
	t.Helper()
	in, err := h.Installer.Install(t.Context(), h.Cluster, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// define returns the definitions that differ.
func (h Harness) define(t *testing.T, r addons.Release) []addons.Kept {
	t.Helper()
	kept, err := h.Installer.Define(t.Context(), h.Cluster, r)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

func (h Harness) remove(t *testing.T, name string) []addons.Kept {
	t.Helper()
	return h.removeAddon(t, release(name, "", nil).Addon)
}

func (h Harness) removeAddon(t *testing.T, a addons.Addon) []addons.Kept {
	t.Helper()
	kept, err := h.Installer.Remove(t.Context(), h.Cluster, a, nil)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

// expectKept checks which objects a call kept, and that each has a reason.
func expectKept(t *testing.T, kept []addons.Kept, want ...string) {
	t.Helper()
	got := []string{}
	for _, k := range kept {
		if k.Reason == "" {
			t.Errorf("%s is kept without a reason", k.Object)
		}
		got = append(got, k.Object.String())
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("it keeps %q, want %q", got, want)
	}
}

// expectOwn checks whether the kept object of that name is the addon's alone.
func expectOwn(t *testing.T, kept []addons.Kept, object string, want bool) {
	t.Helper()
	for _, k := range kept {
		if k.Object.String() == object && k.Own != want {
			t.Errorf("%s is the addon's own: %t, want %t", object, k.Own, want)
		}
	}
}

// find returns an addon as it is listed, and whether it is.
func (h Harness) find(t *testing.T, name string) (addons.Installed, bool) {
	t.Helper()
	list, err := h.Installer.List(t.Context(), h.Cluster)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range list {
		if in.Name == name {
			return in, true
		}
	}
	return addons.Installed{}, false
}

func (h Harness) expect(t *testing.T, o addons.Object, text string) {
	t.Helper()
	got, there := h.Read(t, o)
	if !there || !strings.Contains(got, text) {
		t.Errorf("%s (exists: %t) does not contain %q", o, there, text)
	}
}

func (h Harness) absent(t *testing.T, o addons.Object) {
	t.Helper()
	if _, there := h.Read(t, o); there {
		t.Errorf("%s exists", o)
	}
}

// copy creates a copy of an object with another name, and with its labels and annotations, as kubectl
// get -o yaml and kubectl apply do.
func (h Harness) copy(t *testing.T, o addons.Object, name string) addons.Object {
	t.Helper()
	text, there := h.Read(t, o)
	if !there {
		t.Fatalf("%s does not exist", o)
	}
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	o.Name = name
	metadata := map[string]any{"name": name, "namespace": o.Namespace}
	if was, ok := doc["metadata"].(map[string]any); ok {
		metadata["labels"], metadata["annotations"] = was["labels"], was["annotations"]
	}
	made, err := yaml.Marshal(map[string]any{"apiVersion": "v1", "kind": o.Kind, "metadata": metadata})
	if err != nil {
		t.Fatal(err)
	}
	h.Make(t, string(made))
	return o
}

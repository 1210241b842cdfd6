package addontest

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func (h Harness) installs(t *testing.T) {
	in := h.install(t, one("installs", "1.2.3", "hello"))
	if in.Version != "1.2.3" || in.App != "app-1.2.3" || in.State != addons.StateReady || in.Namespace != "ns-installs" {
		t.Errorf("%+v", in)
	}
	h.expect(t, settings("installs"), "hello")
	listed, ok := h.find(t, "installs")
	if !ok || listed.Revision != in.Revision || listed.Version != in.Version || listed.State != in.State {
		t.Errorf("listed as %+v (%t), want %+v", listed, ok, in)
	}
}

func (h Harness) noChange(t *testing.T) {
	r := one("idle", "1.0.0", "hello")
	first := h.install(t, r)
	if second := h.install(t, r); second.Revision != first.Revision || second.Version != first.Version {
		t.Errorf("it was %+v, and is %+v", first, second)
	}
}

func (h Harness) otherValues(t *testing.T) {
	r := one("values", "1.0.0", "hello")
	first := h.install(t, r)
	r.Values = addons.Values{"a": map[string]any{"b": 1}}
	second := h.install(t, r)
	if second.Revision <= first.Revision {
		t.Errorf("the values did not arrive: %+v", second)
	}
	if third := h.install(t, r); third.Revision != second.Revision {
		t.Errorf("the same values are a change: %+v", third)
	}
}

// anotherChart: objects that the new chart lacks are deleted.
func (h Harness) anotherChart(t *testing.T) {
	r := release("another", "1.0.0", map[string]string{
		"templates/a.yaml": ConfigMap("settings", "old"), "templates/b.yaml": ConfigMap("more", "x"),
	})
	h.install(t, r)
	r = one("another", "2.0.0", "new")
	if in := h.install(t, r); in.Version != "2.0.0" {
		t.Errorf("%+v", in)
	}
	h.expect(t, settings("another"), "new")
	h.absent(t, addons.Object{Kind: "ConfigMap", Namespace: "ns-another", Name: "more"})
}

func (h Harness) lostObject(t *testing.T) {
	r := one("lost", "1.0.0", "hello")
	h.install(t, r)
	h.Delete(t, settings("lost"))
	h.install(t, r)
	h.expect(t, settings("lost"), "hello")
}

// stale compares Stale with Install.
func (h Harness) stale(t *testing.T) {
	r := one("stale", "1.0.0", "hello")
	expect := func(what string, r addons.Release, want bool) {
		t.Helper()
		reason, err := h.Installer.Stale(t.Context(), h.Cluster, r)
		if err != nil || (reason != "") != want {
			t.Errorf("%s: %q, %v; stale should be %t", what, reason, err, want)
		}
	}
	expect("before it is installed", r, true)
	h.install(t, r)
	expect("as installed", r, false)
	more := r
	more.Values = addons.Values{"a": 1}
	expect("other values", more, true)
	expect("another chart", one("stale", "1.0.0", "other"), true)
	data := r
	data.Chart.Data = nil
	expect("by its digest", data, false)
	h.Delete(t, settings("stale"))
	expect("without an object", r, true)
	if _, ok := h.Read(t, settings("stale")); ok {
		t.Error("Stale changed the cluster")
	}
}

// secrets are created once, and never changed.
func (h Harness) secrets(t *testing.T) {
	r := one("secret", "1.0.0", "hello")
	r.Addon.Secrets = []addons.Secret{{Name: "login", Fixed: map[string]string{"user": "admin"}, Generated: []string{"password"}}}
	h.install(t, r)
	login := addons.Object{Kind: "Secret", Namespace: "ns-secret", Name: "login"}
	first, there := h.Read(t, login)
	if !there || !strings.Contains(first, "password") || !strings.Contains(first, "user") {
		t.Fatalf("the Secret is %q", first)
	}
	r.Values = addons.Values{"x": 1}
	h.install(t, r)
	if second, _ := h.Read(t, login); second != first {
		t.Error("the Secret was changed")
	}
	copied := h.copy(t, login, "mine")
	h.removeAddon(t, r.Addon)
	h.absent(t, login)
	h.expect(t, copied, "")
}

func (h Harness) repairsFailure(t *testing.T) {
	bad := release("fails", "1.0.0", map[string]string{"templates/a.yaml": ConfigMap("not_valid", "x")})
	_, err := h.Installer.Install(t.Context(), h.Cluster, bad, nil)
	if err == nil || !strings.Contains(err.Error(), "not_valid") {
		t.Fatalf("%v, want an error that names the object", err)
	}
	if in, ok := h.find(t, "fails"); !ok || in.State != addons.StateFailed || in.Reason == "" {
		t.Errorf("listed as %+v (%t), want failed with a reason", in, ok)
	}
	h.install(t, one("fails", "1.0.1", "hello"))
	h.expect(t, settings("fails"), "hello")
	if in, ok := h.find(t, "fails"); !ok || in.State != addons.StateReady || in.Reason != "" {
		t.Errorf("after the repair it is listed as %+v (%t)", in, ok)
	}
}

func (h Harness) upgradeFails(t *testing.T) {
	h.install(t, one("upfails", "1.0.0", "old"))
	bad := release("upfails", "2.0.0", map[string]string{
		"templates/a.yaml": ConfigMap("settings", "new"), "templates/b.yaml": ConfigMap("not_valid", "x"),
	})
	if _, err := h.Installer.Install(t.Context(), h.Cluster, bad, nil); err == nil {
		t.Fatal("it did not fail")
	}
	if in := h.install(t, one("upfails", "3.0.0", "newest")); in.Version != "3.0.0" || in.State != addons.StateReady {
		t.Errorf("%+v", in)
	}
	h.expect(t, settings("upfails"), "newest")
}

func (h Harness) brokenChart(t *testing.T) {
	r := one("broken", "1.0.0", "hello")
	r.Chart.Data = r.Chart.Data[:20]
	if _, err := h.Installer.Install(t.Context(), h.Cluster, r, nil); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("%v, want ErrInvalid", err)
	}
	if _, err := h.Installer.Define(t.Context(), h.Cluster, r); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("define: %v, want ErrInvalid", err)
	}
	if err := h.Installer.Check(r, ""); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("check: %v, want ErrInvalid", err)
	}
	if err := h.Installer.Check(one("broken", "1.0.0", "hello"), ""); err != nil {
		t.Errorf("check: %v", err)
	}
}

func (h Harness) foreign(t *testing.T) {
	r := one("foreign", "1.0.0", "hello")
	h.install(t, r)
	h.Disown(t, "foreign", "ns-foreign")
	r = one("foreign", "2.0.0", "mine")
	if _, err := h.Installer.Install(t.Context(), h.Cluster, r, nil); !errors.Is(err, fault.ErrForeign) {
		t.Errorf("install: %v, want ErrForeign", err)
	}
	if _, ok := h.find(t, "foreign"); ok {
		t.Error("it is listed")
	}
	h.expect(t, settings("foreign"), "hello")
}

func (h Harness) concurrently(t *testing.T) {
	var wg sync.WaitGroup
	names := []string{"beside-a", "beside-b", "beside-c"}
	for _, name := range names {
		wg.Go(func() {
			if _, err := h.Installer.Install(t.Context(), h.Cluster, one(name, "1.0.0", name), nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, name := range names {
		h.expect(t, settings(name), name)
	}
}

// leftoversOfFailures: objects of failed revisions are deleted by the next successful one, and with the
// addon.
func (h Harness) leftoversOfFailures(t *testing.T) {
	outside := func(name string) addons.Object {
		return addons.Object{Kind: "ConfigMap", Namespace: "default", Name: name}
	}
	with := func(names ...string) addons.Release {
		files := map[string]string{}
		for _, name := range names {
			files["templates/"+name+".yaml"] = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: default}\n"
		}
		return release("remains", "1.0.0", files)
	}
	fail := func(r addons.Release) {
		t.Helper()
		if _, err := h.Installer.Install(t.Context(), h.Cluster, r, nil); err == nil {
			t.Fatal("it is installed")
		}
	}
	fail(with("remains-0", "remains_bad"))
	h.install(t, with("remains-1"))
	h.absent(t, outside("remains-0"))
	fail(with("remains-1", "remains-2", "remains_bad"))
	h.install(t, with("remains-1"))
	h.absent(t, outside("remains-2"))
	fail(with("remains-3", "remains_bad"))
	h.remove(t, "remains")
	for _, name := range []string{"remains-1", "remains-3"} {
		h.absent(t, outside(name))
	}
}

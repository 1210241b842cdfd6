package helm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestBrokenDefinition: a definition that cannot be read is an error with its line.
func TestBrokenDefinition(t *testing.T) {
	t.Parallel()
	archive := addontest.Chart("shop", "1.0.0", map[string]string{"crds/things.yaml": "kind: CustomResourceDefinition\nmetadata:\n  name: [\n"})
	_, err := definitionsOf(addons.Release{Chart: archive})
	if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "shop/crds/things.yaml: yaml: line 3") {
		t.Errorf("%v", err)
	}
}

// TestOldDefinition: the error of a definition in a version that the API server does not serve names the version.
func TestOldDefinition(t *testing.T) {
	t.Parallel()
	d := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apiextensions.k8s.io/v1beta1", "kind": "CustomResourceDefinition"}}
	_, err := definitions{}.apply(t.Context(), "shop", d)
	if all := unserved(fmt.Sprint(err)); len(all) != 1 || all[0].Version != "v1beta1" {
		t.Errorf("%v", err)
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	before := "---\n" + addontest.ConfigMap("same", "x") + "---\n" + addontest.ConfigMap("changed", "x") + "---\n" + addontest.ConfigMap("gone", "x")
	after := "---\n" + addontest.ConfigMap("fresh", "x") + "---\n# moved\n" + addontest.ConfigMap("changed", "y") + "---\n" + addontest.ConfigMap("same", "x")
	var got []string
	for _, c := range changes(before, after, "shop") {
		got = append(got, c.Verb+" "+c.Object.String())
	}
	want := []string{"add ConfigMap shop/fresh", "change ConfigMap shop/changed", "remove ConfigMap shop/gone"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLists: the objects of lists count as those of a chart.
func TestLists(t *testing.T) {
	t.Parallel()
	manifest := `
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: first}}
- {apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: other}}
---
apiVersion: v1
kind: ConfigMapList
items:
- metadata: {name: second}
---
apiVersion: example.com/v1
kind: Menu
metadata: {name: lunch}
items: [soup]
`
	var got []string
	for _, o := range objects(manifest, "shop") {
		got = append(got, o.String())
	}
	want := []string{"ConfigMap shop/first", "Deployment other/web", "ConfigMap shop/second", "Menu lunch"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	archive := addontest.Chart("shop", "1.0.0", map[string]string{"crds/things.yaml": "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: things.example.com}}\n"})
	if list, err := definitionsOf(addons.Release{Chart: archive}); err != nil || len(list) != 1 || list[0].GetName() != "things.example.com" {
		t.Errorf("definitions in a list: %v, %v", list, err)
	}
}

// TestInputs: the digest depends on the chart and the values, and on nothing else.
func TestInputs(t *testing.T) {
	t.Parallel()
	base := addons.Release{Chart: addons.Archive{Digest: "a"}, Values: addons.Values{"x": 1, "y": 2}}
	same := addons.Release{Chart: addons.Archive{Digest: "a"}, Values: addons.Values{"y": 2, "x": 1}}
	if inputs(base) != inputs(same) {
		t.Error("the digest depends on the order of values")
	}
	for what, other := range map[string]string{
		"the chart": inputs(addons.Release{Chart: addons.Archive{Digest: "b"}, Values: base.Values}),
		"values":    inputs(addons.Release{Chart: base.Chart, Values: addons.Values{"x": 1}}),
	} {
		if other == inputs(base) {
			t.Errorf("the digest does not depend on %s", what)
		}
	}
	if n := len(inputs(base)); n > 63 {
		t.Errorf("%d characters are too many for a label", n)
	}
}

// TestUntilDone: requests end with the context, and none starts after it.
func TestUntilDone(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/quick" {
			_, _ = io.WriteString(w, "ok")
			return
		}
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(t.Context())
	client := &http.Client{Transport: untilDone(ctx)(http.DefaultTransport), Timeout: time.Minute}
	resp, err := client.Get(server.URL + "/quick")
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(resp.Body); string(body) != "ok" || err != nil || resp.Body.Close() != nil {
		t.Errorf("%q, %v", body, err)
	}
	go func() { <-arrived; cancel() }()
	began := time.Now()
	if _, err := client.Get(server.URL + "/slow"); !errors.Is(err, context.Canceled) || time.Since(began) > 20*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
	if _, err := client.Get(server.URL + "/quick"); !errors.Is(err, context.Canceled) {
		t.Errorf("afterwards: %v", err)
	}
}

// TestRecordsSkipPending: updates of pending releases are not stored.
func TestRecordsSkipPending(t *testing.T) {
	t.Parallel()
	memory := driver.NewMemory()
	memory.SetNamespace("shop")
	r := records{memory}
	write := func(status release.Status, description string, do func(string, *release.Release) error) {
		t.Helper()
		rel := &release.Release{Name: "shop", Namespace: "shop", Version: 1, Info: &release.Info{Status: status, Description: description}}
		if err := do("sh.helm.release.v1.shop.v1", rel); err != nil {
			t.Fatal(err)
		}
	}
	wantIs := func(want string) {
		t.Helper()
		if rel, err := r.Get("sh.helm.release.v1.shop.v1"); err != nil || rel.Info.Description != want {
			t.Errorf("%+v, %v, want %q", rel, err, want)
		}
	}
	write(release.StatusPendingInstall, "begun", r.Create)
	write(release.StatusPendingInstall, "before a hook", r.Update)
	wantIs("begun")
	write(release.StatusDeployed, "done", r.Update)
	wantIs("done")
}

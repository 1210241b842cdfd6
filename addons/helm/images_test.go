package helm

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestImages checks that every image of a chart is found once, with what needs it: in pods of any kind, in custom
// resources, in hooks, and among the arguments and variables of programs. Texts that only resemble an image are not.
func TestImages(t *testing.T) {
	t.Parallel()
	chart := addontest.Chart("shop", "1.0.0", map[string]string{
		"values.yaml": "tag: v1\n",
		"templates/web.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      initContainers: [{name: set-up, image: busybox}]
      containers:
        - name: web
          image: "registry.example/web:{{ .Values.tag }}"
          args: ["--listen=0.0.0.0:80/x", "--solver-image=quay.io/example/solver:v3", "--url=https://a.example/b:c", "-v", "ghcr.io/example/tool@sha256:` + digest + `"]
          env: [{name: SIDECAR, value: "quay.io/example/sidecar:v2"}, {name: HOST, value: "a.example/path"}]
        - {name: other, image: "registry.example/web:v1"}
      volumes: [{name: model, image: {reference: "quay.io/example/model:v5"}}]
`,
		"templates/cron.yaml": `apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: main, image: "busybox:latest"}]}}}}}
`,
		"templates/custom.yaml": "apiVersion: example.com/v1\nkind: Database\nmetadata: {name: db}\nspec: {image: \"quay.io/example/db:16\"}\n",
		"templates/text.yaml":   "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: text}\ndata: {image: \"quay.io/example/text:v1\"}\n",
		"templates/hook.yaml":   "apiVersion: v1\nkind: Pod\nmetadata: {name: hook, annotations: {helm.sh/hook: pre-install}}\nspec: {containers: [{name: a, image: \"quay.io/example/hook:v1\"}]}\n",
		"templates/test.yaml":   "apiVersion: v1\nkind: Pod\nmetadata: {name: try, annotations: {helm.sh/hook: test}}\nspec: {containers: [{name: a, image: \"quay.io/example/test:v1\"}]}\n",
	})
	got, err := Images(addons.Release{Addon: addons.Addon{Name: "shop", Images: []string{"quay.io/example/agent:v6", "registry.example/web:v1"}}, Chart: chart})
	if err != nil {
		t.Fatal(err)
	}
	image := func(name string, needs ...string) addons.Image {
		return addons.Image{Name: name, Addon: "shop", NeededBy: needs}
	}
	want := []addons.Image{
		image("docker.io/library/busybox:latest", "initContainer set-up of Deployment shop/web", "container main of CronJob shop/nightly"),
		image("ghcr.io/example/tool@sha256:"+digest, "args of Deployment shop/web"),
		image("quay.io/example/agent:v6", "the definition of the addon"),
		image("quay.io/example/db:16", "spec of Database db"),
		image("quay.io/example/hook:v1", "container a of Pod shop/hook"),
		image("quay.io/example/model:v5", "image of Deployment shop/web"),
		image("quay.io/example/sidecar:v2", "variable SIDECAR of Deployment shop/web"),
		image("quay.io/example/solver:v3", "solver-image of Deployment shop/web"),
		image("registry.example/web:v1", "container web of Deployment shop/web", "container other of Deployment shop/web", "the definition of the addon"),
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// TestImagesOfBrokenChart checks that a chart that cannot be rendered is an error with the words of Helm.
func TestImagesOfBrokenChart(t *testing.T) {
	t.Parallel()
	chart := addontest.Chart("shop", "1.0.0", map[string]string{"templates/web.yaml": `{{ fail "set a password" }}`})
	_, err := Images(addons.Release{Addon: addons.Addon{Name: "shop"}, Chart: chart})
	if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "set a password") {
		t.Errorf("%v", err)
	}
}

// TestCatalogImages checks that nothing that looks like an image in what a chart of the catalog renders is missing from
// the list, on each kind of cluster that runs pods.
func TestCatalogImages(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`[a-z0-9-]+(?:\.[a-z0-9-]+)+(?::\d+)?(?:/[a-z0-9._-]+)+(?::v?[0-9][\w.-]*|@sha256:[0-9a-f]{64})`)
	found := 0
	for _, a := range catalog(t) {
		archive := chartOf(t, a, cmp.Or(os.Getenv(chartsVariable), standIns))
		for kind, traits := range kindsOfCluster() {
			if !traits.RunsPods {
				continue
			}
			listed := imagesOf(t, addons.Release{Addon: a, Chart: archive, Values: a.ValuesFor(traits, nil)})
			loaded, err := load(archive)
			must(t, err)
			for _, doc := range render(t, a, loaded, a.ValuesFor(traits, nil)) {
				delete(doc, "data") // files, such as dashboards
				text, err := json.Marshal(doc)
				must(t, err)
				for _, image := range name.FindAllString(string(text), -1) {
					found++
					if !slices.Contains(listed, image) {
						t.Errorf("%s on %s: %s is not in the list %q", a.Name, kind, image, listed)
					}
				}
			}
		}
	}
	if found == 0 {
		t.Error("no chart has an image")
	}
}

// imagesOf returns the names of the images of a release.
func imagesOf(t *testing.T, r addons.Release) (names []string) {
	t.Helper()
	images, err := Images(r)
	must(t, err)
	for _, i := range images {
		names = append(names, i.Name)
	}
	return names
}

// TestImagesOfCurrentCharts: charts that refuse old versions of Kubernetes are rendered. The agent of logging has the
// version of the server.
func TestImagesOfCurrentCharts(t *testing.T) {
	t.Parallel()
	own := addons.Values{"server": map[string]any{"image": map[string]any{"tag": "v9"}}}
	for _, a := range catalog(t) {
		if a.Name != "logging" {
			continue
		}
		names := imagesOf(t, addons.Release{Addon: a, Chart: chartOf(t, a, standIns), Values: a.ValuesFor(providers.Traits{RunsPods: true}, own)})
		want := []string{"docker.io/victoriametrics/victoria-logs:v9", "docker.io/victoriametrics/vlagent:v9"}
		if diff := gocmp.Diff(want, names); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

package helm

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/charts"
	"github.com/clusterlab-dev/lab/providers"
)

// chartsVariable names a directory with the upstream charts of the catalog, each in a directory
// or an archive NAME.tgz of the addon's name. Without it, tests use the stand-ins.
const chartsVariable = "LAB_CHARTS"

// standIns has a small chart for each addon of the catalog: of the same name and version, with
// the values that the catalog sets, the defaults of upstream, and objects of the same kinds.
const standIns = "../testdata/charts"

// kindsOfCluster returns the traits of all kinds of clusters.
func kindsOfCluster() map[string]providers.Traits {
	all := []string{"etcd", "kube-controller-manager", "kube-proxy", "kube-scheduler"}
	return map[string]providers.Traits{
		"at a node":     {RunsPods: true, HostPorts: providers.HostPortsNode},
		"with metrics":  {RunsPods: true, HostPorts: providers.HostPortsNode, ControlPlaneMetrics: all},
		"at a balancer": {RunsPods: true, HostPorts: providers.HostPortsLoadBalancer, LoadBalancer: providers.LoadBalancerBuiltin},
		"simulated":     {},
	}
}

// TestCatalogCharts: on each kind of cluster the chart knows the values that the catalog sets, and
// renders the objects that the addon's checks name.
func TestCatalogCharts(t *testing.T) {
	t.Parallel()
	for _, a := range catalog(t) {
		archive := chartOf(t, a, cmp.Or(os.Getenv(chartsVariable), standIns))
		for kind, traits := range kindsOfCluster() {
			t.Run(a.Name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				checkChart(t, a, archive, a.ValuesFor(traits, nil))
			})
		}
	}
}

// TestCatalogValues: each value of the catalog, and of each overlay, changes what the chart
// renders on some kind of cluster.
func TestCatalogValues(t *testing.T) {
	t.Parallel()
	for _, a := range catalog(t) {
		archive := chartOf(t, a, cmp.Or(os.Getenv(chartsVariable), standIns))
		for i := range len(a.Overlays) + 1 {
			for _, path := range leaves(layer(&a, i).Copy()) {
				if !hasEffect(t, a, archive, i, path) {
					t.Errorf("%s: the value %s has no effect (layer %d)", a.Name, strings.Join(path, "."), i)
				}
			}
		}
	}
}

// layer returns the values of an addon, for 0, or those of an overlay, from 1.
func layer(a *addons.Addon, i int) *addons.Values {
	if i == 0 {
		return &a.Values
	}
	return &a.Overlays[i-1].Values
}

// hasEffect reports whether the chart renders something else without a value of a layer.
func hasEffect(t *testing.T, a addons.Addon, archive addons.Archive, i int, path []string) bool {
	t.Helper()
	shorter := a
	shorter.Overlays = slices.Clone(a.Overlays)
	*layer(&shorter, i) = without(*layer(&shorter, i), path)
	for _, traits := range kindsOfCluster() {
		var rendered [2][]map[string]any
		for n, values := range []addons.Values{a.ValuesFor(traits, nil), shorter.ValuesFor(traits, nil)} {
			loaded, err := load(archive) // rendering changes a chart
			must(t, err)
			rendered[n] = render(t, a, loaded, values)
		}
		if !gocmp.Equal(rendered[0], rendered[1]) {
			return true
		}
	}
	return false
}

// TestStandIns: the stand-ins have no value, default or kind of object that upstream lacks.
func TestStandIns(t *testing.T) {
	t.Parallel()
	dir := os.Getenv(chartsVariable)
	if dir == "" {
		t.Skipf("name a directory with the upstream charts: export %s=DIR", chartsVariable)
	}
	for _, a := range catalog(t) {
		if a.Chart.Builtin != "" {
			continue
		}
		standIn, err := load(chartOf(t, a, standIns))
		must(t, err)
		upstream, err := load(chartOf(t, a, dir))
		must(t, err)
		compareDefaults(t, a.Name, defaults(standIn), defaults(upstream))
		for _, traits := range kindsOfCluster() {
			values := a.ValuesFor(traits, nil)
			kinds := map[any]bool{}
			for _, doc := range render(t, a, upstream, values) {
				kinds[doc["kind"]] = true
			}
			for _, doc := range render(t, a, standIn, values) {
				if !kinds[doc["kind"]] {
					t.Errorf("%s: upstream has no %s", a.Name, doc["kind"])
				}
			}
		}
	}
}

// compareDefaults reports the values of a stand-in that upstream lacks or has other defaults for.
func compareDefaults(t *testing.T, path string, standIn, upstream map[string]any) {
	t.Helper()
	for key, value := range standIn {
		at := path + "." + key
		other, ok := upstream[key]
		inner, isMap := value.(map[string]any)
		switch {
		case !ok:
			t.Errorf("upstream has no value %s", at)
		case isMap && len(inner) > 0:
			compareDefaults(t, at, inner, asMap(other))
		case fmt.Sprint(value) != fmt.Sprint(other):
			t.Errorf("%s is %v, and upstream %v", at, value, other)
		}
	}
}

func catalog(t *testing.T) []addons.Addon {
	t.Helper()
	c, err := addons.Builtin()
	must(t, err)
	return c.All()
}

// chartOf returns the chart of an addon: its own if lab has it, else the one in dir.
func chartOf(t *testing.T, a addons.Addon, dir string) addons.Archive {
	t.Helper()
	source := a.Chart
	if source.Builtin == "" {
		source = addons.Chart{Path: filepath.Join(dir, a.Name)}
		if _, err := os.Stat(source.Path); err != nil {
			source.Path += ".tgz"
		}
	}
	archive, err := charts.New(charts.Options{}).Chart(t.Context(), source)
	must(t, err)
	return archive
}

func checkChart(t *testing.T, a addons.Addon, archive addons.Archive, values addons.Values) {
	t.Helper()
	loaded, err := load(archive)
	must(t, err)
	if want := a.Chart.Version; want != "" && loaded.Metadata.Version != want {
		t.Errorf("the chart has version %s, and the catalog names %s: compare the stand-in with upstream", loaded.Metadata.Version, want)
	}
	for _, path := range unknown(values, defaults(loaded), "") {
		// A schema knows values that have no default, and rendering checks it.
		if key := path[strings.LastIndex(path, ".")+1:]; !strings.Contains(string(loaded.Schema), `"`+key+`":`) {
			t.Errorf("the chart knows no value %s", path)
		}
	}
	checkObjects(t, a, loaded, render(t, a, loaded, values))
}

// checkObjects checks that a chart has what the addon's checks and its access name.
func checkObjects(t *testing.T, a addons.Addon, loaded *chart.Chart, rendered []map[string]any) {
	t.Helper()
	var names []string
	defined := map[string]bool{}
	for _, crd := range loaded.CRDObjects() {
		rendered = append(rendered, documents(string(crd.File.Data))...)
	}
	for _, doc := range rendered {
		names = append(names, nameOf(doc, a.In()).String())
		if doc["kind"] == "CustomResourceDefinition" {
			group, _, _ := unstructured.NestedString(doc, "spec", "group")
			kind, _, _ := unstructured.NestedString(doc, "spec", "names", "kind")
			defined[group+" "+kind] = true
		}
	}
	for _, c := range a.Ready {
		if c.Part != "" && !slices.ContainsFunc(rendered, func(d map[string]any) bool { return nameOf(d, "").Name == c.Part }) {
			t.Errorf("a check names the part %s, and the chart has no such object", c.Part)
		}
		version, _ := c.DryRun["apiVersion"].(string)
		if group, _, _ := strings.Cut(version, "/"); c.DryRun != nil && !isKubernetes(group) && !defined[fmt.Sprint(group, " ", c.DryRun["kind"])] {
			t.Errorf("a check creates a %s, and the chart does not define it", c.DryRun["kind"])
		}
	}
	for _, endpoint := range asked(a) {
		if want := fmt.Sprintf("Service %s/%s", a.In(), endpoint); !slices.Contains(names, want) {
			t.Errorf("the addon uses %s, and the chart has %s", want, strings.Join(names, ", "))
		}
	}
}

// leaves returns the paths of all values that are not mappings.
func leaves(values map[string]any) (paths [][]string) {
	for key, value := range values {
		inner := asMap(value)
		if len(inner) == 0 {
			paths = append(paths, []string{key})
		}
		for _, path := range leaves(inner) {
			paths = append(paths, append([]string{key}, path...))
		}
	}
	return paths
}

// without returns a copy of values that lacks the one at path.
func without(values addons.Values, path []string) addons.Values {
	all := values.Copy()
	inner := map[string]any(all)
	for _, key := range path[:len(path)-1] {
		inner = inner[key].(map[string]any)
	}
	delete(inner, path[len(path)-1])
	return all
}

// defaults are the values of a chart and, below their names, of those that it depends on.
// Helm's own way to join them drops those that are null.
func defaults(c *chart.Chart) map[string]any {
	all := addons.Values{}
	for _, d := range c.Dependencies() {
		all[d.Name()] = defaults(d)
	}
	return addons.Merge(all, c.Values)
}

// unknown returns the paths of values that a chart has no default for. Below an empty map
// everything is known: the chart takes what it is given there; and so are labels.
func unknown(values, known map[string]any, path string) []string {
	var list []string
	for key, value := range values {
		def, ok := known[key]
		at := path + "." + key
		if !ok {
			if !strings.Contains(key, "/") {
				list = append(list, at)
			}
			continue
		}
		if inner, defs := asMap(value), asMap(def); len(inner) > 0 && len(defs) > 0 {
			list = append(list, unknown(inner, defs, at)...)
		}
	}
	return list
}

func asMap(v any) map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return v
	case addons.Values:
		return v
	}
	return nil
}

// render does what an installation does, without a cluster.
func render(t *testing.T, a addons.Addon, loaded *chart.Chart, values addons.Values) []map[string]any {
	t.Helper()
	install := action.NewInstall(&action.Configuration{Log: func(string, ...any) {}})
	install.ReleaseName, install.Namespace = a.Name, a.In()
	install.DryRun, install.ClientOnly = true, true
	install.KubeVersion = &chartutil.KubeVersion{Version: "v1.37.2", Major: "1", Minor: "37"}
	rel, err := install.Run(loaded, values)
	if err != nil {
		t.Fatal(err)
	}
	docs := documents(rel.Manifest)
	for _, hook := range rel.Hooks {
		docs = append(docs, documents(hook.Manifest)...)
	}
	return docs
}

// asked returns the Services that the addon's checks and its access name.
func asked(a addons.Addon) []string {
	var names []string
	if a.Access.Service != "" {
		names = append(names, a.Access.Service)
	}
	for _, c := range a.Ready {
		if c.Prometheus != nil {
			names = append(names, c.Prometheus.Service)
		}
		if c.HTTP != nil {
			names = append(names, c.HTTP.Service)
		}
	}
	return names
}

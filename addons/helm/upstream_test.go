package helm

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/charts"
	"github.com/clusterlab-dev/lab/providers"
)

// chartsVariable names a directory with the charts of the catalogue, each in a directory
// or an archive NAME.tgz of the addon's name.
const chartsVariable = "LAB_CHARTS"

// kindsOfCluster are the traits of the clusters that there are.
func kindsOfCluster() map[string]providers.Traits {
	all := []string{"etcd", "kube-controller-manager", "kube-proxy", "kube-scheduler"}
	return map[string]providers.Traits{
		"at a node":     {RunsPods: true, HostPorts: providers.HostPortsNode},
		"with metrics":  {RunsPods: true, HostPorts: providers.HostPortsNode, ControlPlaneMetrics: all},
		"at a balancer": {RunsPods: true, HostPorts: providers.HostPortsLoadBalancer, LoadBalancer: providers.LoadBalancerBuiltin},
		"simulated":     {},
	}
}

// TestCatalogCharts: each value that the catalogue sets is one that the chart knows, and
// the chart renders with them on each kind of cluster, into what the addon's checks ask.
func TestCatalogCharts(t *testing.T) {
	t.Parallel()
	dir := os.Getenv(chartsVariable)
	catalog, err := addons.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range catalog.All() {
		source := a.Chart
		if source.Builtin == "" {
			source = addons.Chart{Path: find(dir, a.Name)}
		}
		if source.Path == "" && source.Builtin == "" {
			t.Logf("not checked: %s: its chart is not at hand (name a directory with it: export %s=DIR)", a.Name, chartsVariable)
			continue
		}
		archive, err := charts.New(charts.Options{}).Chart(t.Context(), source)
		if err != nil {
			t.Fatal(err)
		}
		for kind, traits := range kindsOfCluster() {
			t.Run(a.Name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				checkChart(t, a, archive, a.ValuesFor(traits, nil), traits)
			})
		}
	}
}

func find(dir, name string) string {
	for _, file := range []string{name, name + ".tgz"} {
		path := filepath.Join(dir, file)
		if _, err := os.Stat(path); dir != "" && err == nil {
			return path
		}
	}
	return ""
}

func checkChart(t *testing.T, a addons.Addon, archive addons.Archive, values addons.Values, traits providers.Traits) {
	t.Helper()
	loaded, err := load(archive)
	if err != nil {
		t.Fatal(err)
	}
	if want := a.Chart.Version; want != "" && loaded.Metadata.Version != want {
		t.Errorf("the chart at hand is of version %s, the catalogue wants %s", loaded.Metadata.Version, want)
	}
	for _, path := range unknown(values, defaults(loaded), "") {
		// A schema knows values that have no default, and rendering holds us to it.
		if key := path[strings.LastIndex(path, ".")+1:]; !strings.Contains(string(loaded.Schema), `"`+key+`":`) {
			t.Errorf("the chart knows no value %s", path)
		}
	}
	rendered := render(t, a, loaded, values)
	if !traits.RunsPods && slices.ContainsFunc(rendered, func(d map[string]any) bool { return d["kind"] == "APIService" }) {
		t.Error("it has an APIService that nobody serves")
	}
	var names []string
	for _, doc := range rendered {
		names = append(names, nameOf(doc, a.In()).String())
	}
	for _, c := range a.Ready {
		if c.Part != "" && !slices.ContainsFunc(rendered, func(d map[string]any) bool { return nameOf(d, "").Name == c.Part }) {
			t.Errorf("a check is of the part %s, which the chart has not", c.Part)
		}
	}
	for _, endpoint := range asked(a) {
		want := fmt.Sprintf("Service %s/%s", a.In(), endpoint)
		if !slices.Contains(names, want) {
			t.Errorf("the addon asks %s, and the chart has %s", want, strings.Join(names, ", "))
		}
	}
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
	return documents(rel.Manifest)
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

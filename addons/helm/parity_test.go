package helm

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
	"helm.sh/helm/v3/pkg/action"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/cli/values"
	"helm.sh/helm/v3/pkg/kube"
	"helm.sh/helm/v3/pkg/release"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/charts"
	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers"
)

// parityCase is a chart and its values. Its file begins with a text, in which a line
// "link NAME TARGET" makes a symbolic link, "pack NAME" an archive of a sub-chart, and "set
// TEXT" is a flag --set of lab, for an addon of the name parity. Files chart/values-*.yaml are those that -f and --values name.
type parityCase struct {
	dir   string
	files []string
	sets  []string
}

// TestAsHelm installs charts with Helm's code and with lab, and compares all results: written and
// deleted objects, hooks, definitions, notes and errors. lab gets the values from files and from a
// lab.yaml.
func TestAsHelm(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/parity/*.txtar")
	if err != nil || len(cases) < 9 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			c := unpack(t, file)
			wanted, refused := c.byHelm(t)
			for how, read := range map[string]func(*testing.T) addons.Values{"files": c.fromFiles, "lab.yaml": c.fromProfile} {
				got, err := c.byLab(t, read(t))
				if refused != nil || err != nil {
					if refused == nil || err == nil || !strings.Contains(err.Error(), refused.Error()) {
						t.Errorf("%s: helm says %v, lab %v", how, refused, err)
					}
					continue
				}
				if diff := cmp.Diff(wanted.contents(), got.contents()); diff != "" {
					t.Errorf("%s (-helm +lab):\n%s", how, diff)
				}
			}
		})
	}
}

// unpack writes the files of a case.
func unpack(t *testing.T, file string) parityCase {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	c := parityCase{dir: filepath.Join(root, "chart")}
	for _, f := range archive.Files {
		path := filepath.Join(root, f.Name)
		if strings.HasPrefix(f.Name, "chart/values-") {
			c.files = append(c.files, path)
		}
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, f.Data, 0o600))
	}
	for line := range strings.Lines(string(archive.Comment)) {
		switch words := strings.Fields(line); words[0] {
		case "link":
			path := filepath.Join(root, words[1])
			must(t, os.MkdirAll(filepath.Dir(path), 0o700))
			err := os.Symlink(words[2], path)
			if err != nil && runtime.GOOS == "windows" {
				t.Skipf("Windows permits links only to administrators: %v", err)
			}
			must(t, err)
		case "pack":
			path := filepath.Join(root, words[1])
			loaded, err := loader.LoadDir(path)
			must(t, err)
			_, err = chartutil.Save(loaded, filepath.Dir(path))
			must(t, err)
			must(t, os.RemoveAll(path))
		case "set":
			c.sets = append(c.sets, words[1])
		}
	}
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// outcome is a release, and the server that it was installed on.
type outcome struct {
	rel    *release.Release
	server *apiServer
}

// byHelm installs as helm's command does.
func (c parityCase) byHelm(t *testing.T) (outcome, error) {
	t.Helper()
	told := values.Options{ValueFiles: c.files}
	for _, text := range c.sets {
		told.Values = append(told.Values, strings.ReplaceAll(text, "parity.", ""))
	}
	v, err := told.MergeValues(nil)
	must(t, err)
	loaded, err := loader.Load(c.dir)
	if err != nil {
		return outcome{}, err
	}
	if err := action.CheckDependencies(loaded, loaded.Metadata.Dependencies); err != nil {
		return outcome{}, err
	}
	server, kubeconfig := newAPIServer(t)
	client, err := newGetter(kubeconfig, nil)
	must(t, err)
	config := &action.Configuration{}
	must(t, config.Init(client, "parity", "secret", func(string, ...any) {}))
	install := action.NewInstall(config)
	install.ReleaseName, install.Namespace = "parity", "parity"
	config.KubeClient = unvalidated{config.KubeClient.(*kube.Client)}
	install.Timeout = time.Minute
	rel, err := install.RunWithContext(t.Context(), loaded, v)
	return outcome{rel, server}, err
}

// unvalidated is Helm's own client, for a server that does not describe its kinds.
type unvalidated struct{ *kube.Client }

func (u unvalidated) Build(manifest io.Reader, _ bool) (kube.ResourceList, error) {
	return u.Client.Build(manifest, false)
}

// byLab installs as lab does, with the values from a record.
func (c parityCase) byLab(t *testing.T, own addons.Values) (outcome, error) {
	t.Helper()
	archive, err := charts.New(charts.Options{}).Chart(t.Context(), addons.Chart{Path: c.dir})
	if err != nil {
		return outcome{}, err
	}
	set, err := Set(map[string]addons.Values{"parity": own}, addons.Sets{Values: c.sets}, os.ReadFile)
	must(t, err)
	record, err := json.Marshal(addons.Request{Addon: addons.Addon{Name: "parity"}, Values: set["parity"]})
	must(t, err)
	var kept addons.Request
	must(t, json.Unmarshal(record, &kept))
	r := addons.Release{Addon: kept.Addon, Chart: archive, Values: kept.Addon.ValuesFor(providers.Traits{}, kept.Values)}
	server, kubeconfig := newAPIServer(t)
	cluster := addons.Cluster{Kubeconfig: kubeconfig}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := (Installer{}).Define(ctx, cluster, r); err != nil {
		return outcome{}, err
	}
	if _, err := (Installer{}).Install(ctx, cluster, r, nil); err != nil {
		return outcome{}, err
	}
	s, err := connect(ctx, cluster, "parity", nil)
	must(t, err)
	rel, err := s.releases().last("parity")
	return outcome{rel, server}, err
}

// fromFiles reads the values files.
func (c parityCase) fromFiles(t *testing.T) addons.Values {
	t.Helper()
	var all addons.Values
	for _, file := range c.files {
		data, err := os.ReadFile(file)
		must(t, err)
		v, err := addons.ParseValues(data)
		must(t, err)
		all = addons.Merge(all, v)
	}
	return all
}

// fromProfile reads the same values from files that extend each other.
func (c parityCase) fromProfile(t *testing.T) addons.Values {
	t.Helper()
	dir := t.TempDir()
	text := "apiVersion: lab/v1alpha1\nkind: Lab\naddons:\n  - name: parity\n    chart: {path: " + c.dir + "}\n"
	file := filepath.Join(dir, "0.yaml")
	must(t, os.WriteFile(file, []byte(text), 0o600))
	for i, values := range c.files {
		data, err := os.ReadFile(values)
		must(t, err)
		text := fmt.Sprintf("apiVersion: lab/v1alpha1\nkind: Lab\nextends: ./%d.yaml\naddons:\n  - name: parity\n    values:\n", i)
		for line := range strings.Lines(string(data)) {
			text += "      " + line
		}
		file = filepath.Join(dir, fmt.Sprintf("%d.yaml", i+1))
		must(t, os.WriteFile(file, []byte(text), 0o600))
	}
	p, err := profiles.LoadFile(file, "")
	must(t, err)
	return p.Addons[0].Values
}

// contents returns all that a release brings to a cluster, by source, without lab's labels.
func (o outcome) contents() map[string]string {
	all := map[string]string{"notes": o.rel.Info.Notes}
	for i, text := range strings.Split("\n"+o.rel.Manifest, "\n---") {
		all[fmt.Sprint("object ", i)] = text
	}
	for _, h := range o.rel.Hooks {
		all["hook "+h.Path+" "+h.Name] = fmt.Sprint(h.Kind, h.Events, h.Weight, h.DeletePolicies, h.Manifest)
	}
	for key, object := range o.server.written {
		if object["type"] == "helm.sh/release.v1" || object["kind"] == "Namespace" {
			continue
		}
		metadata := object["metadata"].(map[string]any)
		if labels, ok := metadata["labels"].(map[string]any); ok {
			maps.DeleteFunc(labels, func(label string, _ any) bool { return strings.Contains(label, "clusterlab.dev/") })
			if len(labels) == 0 {
				delete(metadata, "labels")
			}
		}
		all["written "+key] = asJSON(object)
		if _, there := o.server.objects[key]; !there {
			all["deleted "+key] = ""
		}
	}
	return all
}

func asJSON(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

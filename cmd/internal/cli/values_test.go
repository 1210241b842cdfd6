package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
	helmcli "helm.sh/helm/v3/pkg/cli"
	helmvalues "helm.sh/helm/v3/pkg/cli/values"
	"helm.sh/helm/v3/pkg/getter"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/helm"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

// scalars returns texts that YAML 1.1, YAML 1.2, JSON and Helm's --set read differently.
func scalars() []string {
	return []string{
		"1", "0", "-7", "29111998", "10485760", "9007199254740993", "9223372036854775807", "1.10", "1.0", "6e2", "0474915", "0o17", "0x1F", "1_000",
		"no", "No", "off", "yes", "on", "y", "n", "true", "TRUE", "null", "~", "", `""`, `"1"`, "'no'",
		"2024-01-15", "2024-01-15T10:00:00Z", "12:30:45", "190:20:30", ".5", "+1", "1e3", "a b", "v1.2.3", "=",
		"{x: 1, y: no}", "[1, no, 2024-01-15]", "!!str 1", "!!int 3", "!!float 1",
	}
}

// TestValuesMatchHelm checks that values from files, --values and --set are those that `helm
// install` would use, both when they are read and after they were recorded.
func TestValuesMatchHelm(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var lines strings.Builder
	for i, s := range scalars() {
		lines.WriteString("v" + string(rune('a'+i/26)) + string(rune('a'+i%26)) + ": " + s + "\n")
	}
	lines.WriteString("on: 1\n1: 2\nbase: &base {a: 1, b: no}\nmerged: {<<: *base, a: 2}\ntext: |\n  two\n  lines\n")
	values := write("values.yaml", lines.String())
	const head = "apiVersion: lab/v1alpha1\nkind: Lab\naddons:\n- name: print\n"
	for name, tt := range map[string]struct {
		args []string
		helm helmvalues.Options
	}{
		"lab.yaml":          {[]string{"-f", write("lab.yaml", head+"  values:\n    "+strings.ReplaceAll(lines.String(), "\n", "\n    ")+"\n")}, helmvalues.Options{ValueFiles: []string{values}}},
		"--values":          {[]string{"--addon=print", "--values=print=" + values}, helmvalues.Options{ValueFiles: []string{values}}},
		"--set":             {[]string{"--addon=print", "--set=print.x=29111998", "--set=print.d=2024-01-15,print.n=no"}, helmvalues.Options{Values: []string{"x=29111998", "d=2024-01-15,n=no"}}},
		"--set over a file": {[]string{"-f", write("more.yaml", head+"  values: {list: [{x: 1, z: 1}], big: 29111998}\n"), "--set=print.list[0].x=2"}, helmvalues.Options{ValueFiles: []string{write("more-values.yaml", "list: [{x: 1, z: 1}]\nbig: 29111998\n")}, Values: []string{"list[0].x=2"}}},
	} {
		want, err := tt.helm.MergeValues(getter.All(helmcli.New()))
		if err != nil {
			t.Fatal(err)
		}
		got := requested(t, tt.args).Addons.Values["print"]
		if diff := cmp.Diff(addons.Values(want), got); diff != "" {
			t.Errorf("%s (-helm +lab):\n%s", name, diff)
		}
		store := state.Open(t.TempDir())
		record := state.Record{Name: "lab", Flavor: "kwok", Phase: state.PhaseCreated, Addons: addons.Requests{{Values: got}}}
		if err := store.Put(record); err != nil {
			t.Fatal(err)
		}
		again, err := store.Get("lab")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(addons.Values(want), again.Addons[0].Values); diff != "" {
			t.Errorf("%s, from the record (-helm +lab):\n%s", name, diff)
		}
	}
}

// requested returns the request of a `lab up` command line.
func requested(t *testing.T, args []string) clusters.UpRequest {
	t.Helper()
	streams := ui.System()
	c := &command{Env: Env{Addons: &clusteraddons.Addons{Tools: clusteraddons.Tools{Set: helm.Set}}}, streams: streams}
	o := &upOptions{}
	f := pflag.NewFlagSet("up", pflag.ContinueOnError)
	o.flags(f, nil)
	if err := f.Parse(args); err != nil {
		t.Fatal(err)
	}
	_, q, err := upRequest(c, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

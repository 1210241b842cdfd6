package profiles_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/profiles"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const head = "apiVersion: lab/v1alpha1\nkind: Lab\n"

// TestParseWhole reads a file with all keys.
func TestParseWhole(t *testing.T) {
	t.Parallel()
	got, err := profiles.Parse("/x/lab.yaml", []byte(head+`# a comment
name: shop
summary: all there is
extends: web
flavor: kind
cluster: {kubernetesVersion: v1.37.2, image: node:v1, controlPlanes: 1, workers: 2, unsyncedEtcd: true, ports: ["8080:80"], mounts: ["./src:/src:ro"], config: kind.yaml}
addons:
  - ingress-nginx
  - name: kube-prometheus-stack
    values: {grafana: {replicas: 1, list: [a, 2, true, null]}}
  - name: shop
    chart: {path: ./charts/shop}
    namespace: web
    needs: [ingress-nginx]
ttl: 8h
`))
	if err != nil {
		t.Fatal(err)
	}
	want := profiles.Profile{
		APIVersion: "lab/v1alpha1", Kind: "Lab", Name: "shop", Summary: "all there is", Extends: "web", Flavor: "kind",
		Cluster: profiles.Cluster{
			KubernetesVersion: "v1.37.2", Image: "node:v1", ControlPlanes: 1, Workers: 2, UnsyncedEtcd: true,
			Ports: []profiles.Port{"8080:80"}, Mounts: []profiles.Mount{"/x/src:/src:ro"}, Config: "/x/kind.yaml",
		},
		Addons: []profiles.Addon{
			{Name: "ingress-nginx"},
			{Name: "kube-prometheus-stack", Values: map[string]any{"grafana": map[string]any{"replicas": 1.0, "list": []any{"a", 2.0, true, nil}}}},
			{Name: "shop", Chart: profiles.Chart{Path: "/x/charts/shop"}, Namespace: "web", Needs: []profiles.Label{"ingress-nginx"}},
		},
		TTL: "8h",
	}
	if diff := cmp.Diff(want, got.Profile); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for path, from := range map[string]string{
		"name": "/x/lab.yaml:4", "cluster.workers": "/x/lab.yaml:8", "addons.shop": "/x/lab.yaml:13", "ttl": "/x/lab.yaml:17",
	} {
		if got.Origins[path] != from {
			t.Errorf("%s comes from %q, want %q", path, got.Origins[path], from)
		}
	}
}

// TestParseProblems: all problems of a file are reported with their positions.
func TestParseProblems(t *testing.T) {
	t.Parallel()
	for what, tt := range map[string]struct {
		text string
		want []string // the beginning of each problem, in order
	}{
		"nothing":       {"", []string{"f: the file is empty; it must start with apiVersion: lab/v1alpha1 and kind: Lab"}},
		"null":          {"~", []string{"f: the file is empty"}},
		"a comment":     {"# nothing\n", []string{"f: the file is empty"}},
		"another thing": {"apiVersion: v1\nkind: Pod\n", []string{`f:1:13: apiVersion must be lab/v1alpha1, not "v1"`, `f:2:7: kind must be Lab, not "Pod"`}},
		"no head":       {"name: shop\n", []string{"f:1:1: apiVersion is missing: apiVersion: lab/v1alpha1", "f:1:1: kind is missing"}},
		"a list":        {"[]", []string{"f:1:1: the file must be a mapping"}},
		"all at once": {head + "nme: x\nflavour: kind\ncluster:\n  wokers: 2\n  workers: two\n  controlPlanes: -1\n  ports: [80, \"80\"]\nttl: 8\nzzz: 1\n", []string{
			`f:3:1: unknown key "nme"; did you mean name?`,
			`f:4:1: unknown key "flavour"; did you mean flavor?`,
			`f:6:3: unknown key "wokers" in cluster; did you mean workers?`,
			`f:7:12: cluster.workers must be a whole number, not the string "two"`,
			`f:8:18: cluster.controlPlanes must be between 0 and 5000, not -1`,
			`f:9:11: cluster.ports[0] must be a string, not the number 80; quote it: "80"`,
			`f:9:15: the port "80" is not HOST:CONTAINER`,
			`f:10:6: ttl must be a string, not the number 8`,
			`f:11:1: unknown key "zzz"; known keys: apiVersion, kind, name`,
		}},
		"yes or no":         {head + "cluster: {unsyncedEtcd: 'yes'}\n", []string{"f:3:25: cluster.unsyncedEtcd must be true or false, not the string"}},
		"twice":             {head + "name: aa\nname: bb\n", []string{`f:4:1: duplicate key "name"`}},
		"an addon twice":    {head + "addons: [aa, {name: aa}]\n", []string{"f:3:14: duplicate addon aa"}},
		"a port twice":      {head + "cluster: {ports: ['80:80', '80:81']}\n", []string{"f: port 80:81: host port 80 is published twice"}},
		"numbers for texts": {head + "cluster: {kubernetesVersion: 1.37}\n", []string{`f:3:30: cluster.kubernetesVersion must be a string, not the number 1.37; quote it: "1.37"`}},
		"a version":         {head + "cluster: {kubernetesVersion: newest}\n", []string{`f:3:30: kubernetes version "newest"`}},
		"a name":            {head + "name: My_Shop\n", []string{`f:3:7: invalid cluster name "My_Shop"`}},
		"ports":             {head + "cluster: {ports: ['0:80']}\n", []string{"f:3:19: port 0:80: must be between"}},
		"mounts":            {head + "cluster: {mounts: ['a', '/a:b']}\n", []string{`f:3:20: the mount "a"`, `f:3:25: mount "/a" to "b"`}},
		"ttl":               {head + "ttl: soon\n", []string{`f:3:6: "soon" is not a duration such as 8h`}},
		"a short ttl":       {head + "ttl: 1ms\n", []string{`f:3:6: "1ms" is not a duration`}},
		"a chart":           {head + "addons: [{name: aa, chart: {repository: 'https://x'}}, {name: bb, chart: {path: x, oci: y}}, {values: {}}]\n", []string{"f:3:10: the chart: the name of the chart in the repository is missing", "f:3:56: a chart must have exactly one of", "f:3:94: addons[2].name is missing"}},
		"needs":             {head + "addons: [{name: aa, needs: [bb]}]\n", []string{"f:3:10: namespace, needs and provides require a chart"}},
		"an empty addon":    {head + "addons: [~]\n", []string{"f:3:10: addons[0] is empty"}},
		"values":            {head + "addons: [{name: aa, values: [a]}]\n", []string{"f:3:29: addons[0].values must be a mapping"}},
		"two documents":     {head + "---\nname: x\n", []string{"f:3:1: a second document"}},
		"a merge key": {head + "x-c: &c {workers: 1, nodes: 2}\ncluster: {<<: [*c, 3]}\n", []string{
			`f:3:22: unknown key "nodes" in cluster`, "f:4:20: the merge key << must be a mapping or a list of mappings, not the number 3",
		}},
		"an extension below": {head + "cluster: {x-a: 1}\n", []string{`f:3:11: unknown key "x-a" in cluster`}},
		"a namespace":        {head + "addons: [{name: aa, namespace: " + strings.Repeat("n", 64) + ", chart: {path: x}}]\n", []string{"f:3:32: the namespace name"}},
		"no YAML":            {head + "name: [\n", []string{"f:4:1: invalid YAML"}},
		"a tab":              {head + "cluster:\n\tworkers: 1\n", []string{"f:4:1: invalid YAML"}},
		"a control":          {head + "name: \x01\n", []string{"f: invalid YAML"}},
		"too long":           {strings.Repeat("#", 10<<20), []string{"f: the file has 10485760 bytes"}},
		"a list for a key":   {head + "? [a]\n: b\n", []string{"f:3:3: a key must be a string, not a list"}},
		"an alias in itself": {head + "addons: [{name: aa, values: &v {v: *v}}]\n", []string{"f:3:36: the file is too large"}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			_, err := profiles.Parse("f", []byte(tt.text))
			var problems profiles.Problems
			if !errors.As(err, &problems) || !errors.Is(err, fault.ErrInvalid) || fault.HintOf(err) == "" {
				t.Fatalf("%v, want problems, with a hint", err)
			}
			lines := strings.Split(problems.Error(), "\n")
			if len(lines) != len(tt.want) {
				t.Fatalf("%d problems, want %d:\n%v", len(lines), len(tt.want), err)
			}
			for i, want := range tt.want {
				if !strings.HasPrefix(lines[i], want) {
					t.Errorf("%s\nwant %s", lines[i], want)
				}
			}
		})
	}
}

// bomb returns a file of a few lines that expands to 10 to the power of levels values.
func bomb(levels int) string {
	text := head + "addons:\n- name: aa\n  values:\n    l0: &l0 [a, a, a, a, a, a, a, a, a, a]\n"
	for i := 1; i < levels; i++ {
		before := string(rune('0' + i - 1))
		text += "    l" + string(rune('0'+i)) + ": &l" + string(rune('0'+i)) + " [" + strings.Repeat("*l"+before+", ", 9) + "*l" + before + "]\n"
	}
	return text
}

func TestParseBomb(t *testing.T) {
	t.Parallel()
	if _, err := profiles.Parse("f", []byte(bomb(3))); err != nil {
		t.Errorf("a few aliases: %v", err)
	}
	if _, err := profiles.Parse("f", []byte(bomb(9))); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("a bomb: %v", err)
	}
	deep := head + "addons: [{name: aa, values: {a: " + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}}]"
	if _, err := profiles.Parse("f", []byte(deep)); err == nil {
		t.Error("a deep tree is accepted")
	}
}

// FuzzParse: Parse ends soon for any file, and accepts only valid clusters.
func FuzzParse(f *testing.F) {
	for _, name := range profiles.Names() {
		text, err := os.ReadFile(filepath.Join("builtin", name+".yaml"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Add(head + "name: a\ncluster: {ports: ['80:80'], workers: 2, mounts: ['a:/b']}\naddons: [{name: aa, values: &v {v: [*v]}}]\nttl: 8h\n")
	f.Add(bomb(5))
	f.Fuzz(func(t *testing.T, text string) {
		l, err := profiles.Parse("f", []byte(text))
		if err != nil {
			if !errors.Is(err, fault.ErrInvalid) || err.Error() == "" {
				t.Errorf("%v is no problem", err)
			}
			return
		}
		spec, err := l.Spec()
		if spec.Name == "" {
			spec.Name = "lab"
		}
		if err != nil || spec.WithDefaults().Validate() != nil {
			t.Errorf("an invalid cluster is accepted: %+v, %v", spec, err)
		}
		l.Under(l).Settings()
	})
}

// TestParseMergeKeys: anchors, aliases and merge keys work.
func TestParseMergeKeys(t *testing.T) {
	t.Parallel()
	got, err := profiles.Parse("f", []byte(head+`x-small: &small {workers: 1, controlPlanes: 1}
x-large: &large {workers: 5, image: node:v1}
x-values: &values {replicas: 2, on: no}
cluster:
  <<: [*small, *large]
  controlPlanes: 3
addons:
  - &hello {name: hello, values: *values}
  - name: shop
    chart: {path: /shop}
    values: {<<: *values, replicas: 3}
  - {<<: *hello, name: other}
`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(profiles.Cluster{ControlPlanes: 3, Workers: 1, Image: "node:v1"}, got.Cluster); diff != "" {
		t.Errorf("cluster (-want +got):\n%s", diff)
	}
	if from := got.Origins["cluster.workers"]; from != "f:3" {
		t.Errorf("cluster.workers comes from %q", from)
	}
	values := map[string]any{"replicas": 2.0, "true": false} // a key on is true in YAML 1.1
	want := []profiles.Addon{
		{Name: "hello", Values: values},
		{Name: "shop", Chart: profiles.Chart{Path: "/shop"}, Values: map[string]any{"replicas": 3.0, "true": false}},
		{Name: "other", Values: values},
	}
	if diff := cmp.Diff(want, got.Addons); diff != "" {
		t.Errorf("addons (-want +got):\n%s", diff)
	}
}

// TestParseNamespace: names of namespaces and addons may be longer than those of clusters.
func TestParseNamespace(t *testing.T) {
	t.Parallel()
	namespace, name := strings.Repeat("n", 63), strings.Repeat("a", 53)
	l, err := profiles.Parse("f", []byte(head+"addons: [{name: "+name+", namespace: "+namespace+", chart: {path: /x}}, a]\n"))
	if err != nil || string(l.Addons[0].Namespace) != namespace || string(l.Addons[1].Name) != "a" {
		t.Errorf("%+v, %v", l.Addons, err)
	}
}

package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/config"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const whole = `apiVersion: lab/v1alpha1
kind: Config
flavor: kind
images:
  kind: {node: registry.corp/kind-node:v1.37.2}
  k3d: {node: k, tools: t, loadBalancer: l}
  minikube: {base: m}
  hello: registry.corp/lab/hello:v1
registries: {docker.io: registry.corp/docker}
caFile: corp.pem
minikube: {extraArgs: ["--cni=bridge"]}
`

// env returns a getenv.
func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return m[name] }
}

func write(t *testing.T, text string) (dir, path string) {
	t.Helper()
	dir = t.TempDir()
	path = filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, path
}

func wanted(dir string) config.Config {
	return config.Config{
		APIVersion: "lab/v1alpha1", Kind: "Config", Flavor: "kind",
		Images: config.Images{
			Kind:     config.KindImages{Node: "registry.corp/kind-node:v1.37.2"},
			K3d:      config.K3dImages{Node: "k", Tools: "t", LoadBalancer: "l"},
			Minikube: config.MinikubeImages{Base: "m"},
			Hello:    "registry.corp/lab/hello:v1",
		},
		Registries: map[string]string{"docker.io": "registry.corp/docker"},
		CAFile:     filepath.Join(dir, "corp.pem"),
		Minikube:   config.Minikube{ExtraArgs: []string{"--cni=bridge"}},
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir, path := write(t, whole)
	for name, load := range map[string]func() (config.Config, error){
		"the user's directory": func() (config.Config, error) { return config.Load(env(), dir) },
		"a file that is named": func() (config.Config, error) { return config.Load(env("LAB_CONFIG", path), t.TempDir()) },
	} {
		got, err := load()
		if diff := cmp.Diff(wanted(dir), got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	for _, none := range []string{t.TempDir(), filepath.Join(dir, "none"), filepath.Join(path, "below-a-file")} {
		if got, err := config.Load(env(), none); err != nil || !cmp.Equal(got, config.Config{}) {
			t.Errorf("none in %s: %+v, %v", none, got, err)
		}
	}
}

func TestEnvironmentWins(t *testing.T) {
	t.Parallel()
	dir, _ := write(t, whole)
	want := wanted(dir)
	pairs := []string{"LAB_REGISTRIES", "quay.io=q, ghcr.io=g", "LAB_MINIKUBE_EXTRA_ARGS", "--a --b=c", "LAB_CA_FILE", "/of/env"}
	for name, value := range want.Variables() {
		*value = "/of/env"
		pairs = append(pairs, name, "/of/env")
	}
	want.Registries = map[string]string{"quay.io": "q", "ghcr.io": "g"}
	want.Minikube.ExtraArgs = []string{"--a", "--b=c"}
	got, err := config.Load(env(pairs...), dir)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for says, text := range map[string]string{
		`:3:1: there is no key "flavour" here`:   "apiVersion: lab/v1alpha1\nkind: Config\nflavour: kind\n",
		`:3:17: there is no key "nodes" here`:    "apiVersion: lab/v1alpha1\nkind: Config\nimages: {kind: {nodes: x}}\n",
		":3:3: mapping values are not":           "kind: Config\napiVersion: a\n  b: c\n",
		":3:1: did not find expected ',' or '}'": "kind: Config\n# the next line\nimages: {kind: {node: x}\nflavor: kind\n",
		":2:3: found character that cannot":      "kind:\n  @\n",
		":1:1: it must begin with":               "apiVersion: lab/v2\nkind: Config\n",
		":1:1: cannot unmarshal":                 "images: 5\n",
		"did not find expected":                  "images: {\n",
		"it must begin with: apiVer":             "",
	} {
		dir, path := write(t, text)
		_, err := config.Load(env(), dir)
		if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path) || fault.HintOf(err) == "" {
			t.Errorf("%q: %v (hint %q), want ErrInvalid that says %q", text, err, fault.HintOf(err), says)
		}
	}
	if _, err := config.Load(env("LAB_CONFIG", filepath.Join(t.TempDir(), "none.yaml")), ""); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(fault.HintOf(err), "unset LAB_CONFIG") {
		t.Errorf("a named file that is not there: %v (hint %q)", err, fault.HintOf(err))
	}
	if _, err := config.Load(env("LAB_CONFIG", t.TempDir()), ""); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("a directory: %v", err)
	}
	if _, err := config.Load(env("LAB_REGISTRIES", "docker.io"), t.TempDir()); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "HOST=MIRROR") {
		t.Errorf("a registry without a mirror: %v", err)
	}
}

package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/config"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const complete = `apiVersion: lab/v1alpha1
kind: Config
flavor: boats
images:
  boats: {hull: registry.corp/hull:v1, sail: ""}
  hello: registry.corp/lab/hello:v1
registries: {docker.io: registry.corp/docker}
caFile: corp.pem
cache: off
boats: {extraArgs: ["--wind=north"]}
`

// boats is a flavor that is configured with two texts and a list.
type boats struct {
	Hull, Sail string
	Args       []string
}

func (b *boats) flavor() providers.Flavor {
	return providers.Flavor{Name: "boats", Keys: []providers.Key{
		{Path: "images.boats.hull", Variable: "LAB_IMAGES_BOATS_HULL", Text: &b.Hull},
		{Path: "images.boats.sail", Variable: "LAB_IMAGES_BOATS_SAIL", Text: &b.Sail},
		{Path: "boats.extraArgs", Variable: "LAB_BOATS_EXTRA_ARGS", List: &b.Args},
	}}
}

// loaded is all that Load sets.
type loaded struct {
	Config config.Config
	Boats  boats
}

func load(dir string, env map[string]string) (loaded, error) {
	l := loaded{Boats: boats{Hull: "the default", Sail: "the default"}}
	c, err := config.Load(func(name string) string { return env[name] }, dir, l.Boats.flavor())
	l.Config = c
	return l, err
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

func want(dir string) loaded {
	return loaded{
		Config: config.Config{
			Flavor: "boats", HelloImage: "registry.corp/lab/hello:v1", CAFile: filepath.Join(dir, "corp.pem"), Cache: "off",
			Registries: map[string]string{"docker.io": "registry.corp/docker"},
		},
		Boats: boats{Hull: "registry.corp/hull:v1", Args: []string{"--wind=north"}},
	}
}

func TestLoadReadsFile(t *testing.T) {
	t.Parallel()
	dir, path := write(t, complete)
	for name, from := range map[string]func() (loaded, error){
		"in the user's directory": func() (loaded, error) { return load(dir, nil) },
		"named by LAB_CONFIG":     func() (loaded, error) { return load(t.TempDir(), map[string]string{"LAB_CONFIG": path}) },
	} {
		got, err := from()
		if diff := cmp.Diff(want(dir), got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

func TestLoadKeepsDefaults(t *testing.T) {
	t.Parallel()
	const header = "apiVersion: lab/v1alpha1\nkind: Config\n"
	empty, _ := write(t, header+"flavor:\nimages:\n  boats: {hull: }\nregistries:\nboats: {}\n")
	dir, path := write(t, complete)
	defaults, _ := load(t.TempDir(), nil)
	for _, in := range []string{empty, t.TempDir(), filepath.Join(dir, "missing"), filepath.Join(path, "below-a-file")} {
		got, err := load(in, nil)
		if diff := cmp.Diff(defaults, got); diff != "" || err != nil || got.Boats.Hull != "the default" {
			t.Errorf("%s: %v (-want +got):\n%s", in, err, diff)
		}
	}
}

func TestLoadFollowsAliases(t *testing.T) {
	t.Parallel()
	dir, _ := write(t, "apiVersion: lab/v1alpha1\nkind: Config\nflavor: &f boats\nimages: {<<: {hello: a}, hello: *f, boats: {<<: {hull: *f}}}\n")
	got, err := load(dir, nil)
	if err != nil || got.Config.HelloImage != "boats" || got.Boats.Hull != "boats" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestEnvironmentOverridesFile(t *testing.T) {
	t.Parallel()
	dir, _ := write(t, complete)
	env := map[string]string{"LAB_REGISTRIES": "quay.io=q, ghcr.io=g"}
	for _, key := range config.Keys(new(boats).flavor()) {
		env[key.Variable] = "/of --env"
	}
	want := loaded{
		Config: config.Config{Flavor: "/of --env", HelloImage: "/of --env", CAFile: "/of --env", Cache: "/of --env", Registries: map[string]string{"quay.io": "q", "ghcr.io": "g"}},
		Boats:  boats{Hull: "/of --env", Sail: "/of --env", Args: []string{"/of", "--env"}},
	}
	got, err := load(dir, env)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestLoadRejectsInvalidFile(t *testing.T) {
	t.Parallel()
	const header = "apiVersion: lab/v1alpha1\nkind: Config\n"
	for says, text := range map[string]string{
		`:3:1: unknown key "flavour"; did you mean flavor?`:                            header + "flavour: boats\n",
		`:3:18: unknown key "hulls" in images.boats; did you mean hull?`:               header + "images: {boats: {hulls: x}}\n",
		`:3:10: unknown key "another" in images; known keys: hello, boats`:             header + "images: {another: {node: x}}\n",
		`:4:1: duplicate key "flavor"`:                                                 header + "flavor: a\nflavor: b\n",
		":3:9: images must be a mapping":                                               header + "images: 5\n",
		":3:9: flavor must be a string":                                                header + "flavor: [boats]\n",
		`:3:9: flavor must be a string, not the number 1.30; quote it: "1.30"`:         header + "flavor: 1.30\n",
		`:3:20: boats.extraArgs must be a list ([A, B]), not the string "--a"`:         header + "boats: {extraArgs: --a}\n",
		":3:13: registries must be a mapping":                                          header + "registries: [docker.io]\n",
		":3:25: registries.docker.io must be a string, not a list":                     header + "registries: {docker.io: [x]}\n",
		":3:3: invalid YAML: mapping values are not":                                   "kind: Config\napiVersion: a\n  b: c\n",
		":3:1: invalid YAML: did not find expected ',' or '}'":                         "kind: Config\n# the next line\nimages: {boats: {hull: x}\nflavor: boats\n",
		":2:3: invalid YAML: found character that cannot":                              "kind:\n  @\n",
		`:1:13: apiVersion must be lab/v1alpha1, not "lab/v2"`:                         "apiVersion: lab/v2\nkind: Config\n",
		":1:1: kind is missing: kind: Config":                                          "apiVersion: lab/v1alpha1\n",
		": the file is empty; it must start with apiVersion: lab/v1alpha1 and kind: C": "",
		":1:1: the file must be a mapping":                                             "text",
		":4:1: a second document starts here":                                          header + "flavor: boats\n---\nflavor: kind\n",
		": the file has 1048577 bytes; the limit is 1048576":                           strings.Repeat("#", 1<<20+1),
	} {
		dir, path := write(t, text)
		got, err := load(dir, nil)
		if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), path+says) || fault.HintOf(err) == "" {
			t.Errorf("%q: %v (hint %q), want ErrInvalid that says %q", text, err, fault.HintOf(err), says)
		}
		if got.Boats.Hull != "the default" {
			t.Errorf("%q: an invalid file set a value", text)
		}
	}
}

func TestLoadRejectsUnreadableFile(t *testing.T) {
	t.Parallel()
	if _, err := load("", map[string]string{"LAB_CONFIG": filepath.Join(t.TempDir(), "missing.yaml")}); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(fault.HintOf(err), "unset LAB_CONFIG") {
		t.Errorf("a missing file: %v (hint %q)", err, fault.HintOf(err))
	}
	if _, err := load("", map[string]string{"LAB_CONFIG": t.TempDir()}); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("a directory: %v", err)
	}
}

func TestLoadRejectsRegistryWithoutMirror(t *testing.T) {
	t.Parallel()
	if _, err := load(t.TempDir(), map[string]string{"LAB_REGISTRIES": "docker.io"}); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "HOST=MIRROR") {
		t.Errorf("%v", err)
	}
}

// No error repeats a password, and none is accepted.
func TestLoadRejectsMirrorWithPassword(t *testing.T) {
	t.Parallel()
	for _, mirrors := range []string{
		"robot:S3c@ret@registry.corp", "docker.io=robot:S3c@ret@registry.corp/docker", "quay.io=a,docker.io=https://robot:S3c@ret@registry.corp",
	} {
		_, err := load(t.TempDir(), map[string]string{"LAB_REGISTRIES": mirrors})
		if !errors.Is(err, fault.ErrInvalid) || strings.Contains(err.Error()+fault.HintOf(err), "S3c") || strings.Contains(err.Error(), "ret@") {
			t.Errorf("%s: %v", mirrors, err)
		}
	}
	dir, _ := write(t, strings.Replace(complete, "registry.corp/docker", "http://robot@registry.corp/docker", 1))
	if _, err := load(dir, nil); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "docker.io") {
		t.Errorf("in the file: %v", err)
	}
}

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

// write writes files to a new directory, and returns it.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestExtends(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{
		"lab.yaml":       head + "extends: base/lab.yaml\ncluster: {workers: 0, ports: ['1:1']}\naddons: [{name: cert-manager, values: {a: {x: 2}}}, hello]\n",
		"base/lab.yaml":  head + "extends: web\nflavor: kind\ncluster: {workers: 3, controlPlanes: 3, mounts: ['src:/src'], ports: ['2:2', '3:3']}\naddons: [{name: cert-manager, values: {a: {x: 1, z: 1}}}]\n",
		"circle.yaml":    head + "extends: ./circle2.yaml\n",
		"circle2.yaml":   head + "extends: circle.yaml\n",
		"self.yaml":      head + "extends: ./self.yaml\n",
		"nowhere.yaml":   head + "extends: ./none.yaml\n",
		"misspelt.yaml":  head + "extends: wbe\n",
		"bad.yaml":       head + "extends: ./worse.yaml\n",
		"worse.yaml":     head + "wokers: 1\n",
		"a/b/upper.yaml": head + "extends: ../../worse.yaml\n",
	})
	got, err := profiles.LoadFile(filepath.Join(dir, "lab.yaml"), "")
	if err != nil {
		t.Fatal(err)
	}
	want := profiles.Cluster{ControlPlanes: 3, Ports: []profiles.Port{"1:1"}, Mounts: []profiles.Mount{profiles.Mount(filepath.Join(dir, "base", "src") + ":/src")}}
	if diff := cmp.Diff(want, got.Cluster); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	addons := []profiles.Addon{
		{Name: "ingress-nginx"}, {Name: "cert-manager", Values: map[string]any{"a": map[string]any{"x": 2.0, "z": 1.0}}}, {Name: "hello"},
	}
	if diff := cmp.Diff(addons, got.Addons); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for path, from := range map[string]string{
		"cluster.workers": filepath.Join(dir, "lab.yaml:4"), "cluster.controlPlanes": filepath.Join(dir, "base", "lab.yaml:5"),
		"addons.ingress-nginx": "profile web:5", "addons.cert-manager": filepath.Join(dir, "lab.yaml:5"),
	} {
		if got.Origins[path] != from {
			t.Errorf("%s comes from %q, want %q", path, got.Origins[path], from)
		}
	}
	for file, want := range map[string]struct {
		kind  error
		words string
	}{
		"circle.yaml": {fault.ErrInvalid, "in a cycle"}, "self.yaml": {fault.ErrInvalid, "in a cycle"},
		"nowhere.yaml": {fault.ErrNotFound, "nowhere.yaml:3: cannot read the profile"}, "misspelt.yaml": {fault.ErrNotFound, `misspelt.yaml:3: profile "wbe" not found`},
		"bad.yaml": {fault.ErrInvalid, `worse.yaml:3:1: unknown key "wokers"`}, "a/b/upper.yaml": {fault.ErrInvalid, "worse.yaml:3:1"},
		"none.yaml": {fault.ErrNotFound, "none.yaml"}, "a": {fault.ErrUnavailable, "is a directory"},
	} {
		_, err := profiles.LoadFile(filepath.Join(dir, file), "")
		if !errors.Is(err, want.kind) || !strings.Contains(err.Error(), want.words) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v, want %q, with a hint", file, err, want.words)
		}
	}
	base, err := profiles.LoadFile(filepath.Join(dir, "lab.yaml"), "minimal")
	if err != nil || base.Cluster.ControlPlanes != 0 || len(base.Addons) != 2 {
		t.Errorf("with another base: %+v, %v", base.Profile, err)
	}
}

// TestBuiltin: each builtin profile can be read, and has a summary.
func TestBuiltin(t *testing.T) {
	t.Parallel()
	want := []string{"ci", "full", "minimal", "observability", "web", "workshop"}
	if diff := cmp.Diff(want, profiles.Names()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, name := range profiles.Names() {
		l, err := profiles.Load(name)
		if err != nil || l.Summary == "" {
			t.Errorf("%s: %q, %v", name, l.Summary, err)
		}
	}
	if _, err := profiles.Load("wrkshop"); fault.HintOf(err) != "did you mean workshop?" {
		t.Errorf("%v, hint %q", err, fault.HintOf(err))
	}
}

// TestSettings: each value is listed once, with its origin.
func TestSettings(t *testing.T) {
	t.Parallel()
	l, err := profiles.Parse("f", []byte(head+"extends: web\ncluster: {workers: 0}\naddons: [aa]\n"))
	if err != nil {
		t.Fatal(err)
	}
	web, err := profiles.Load("web")
	if err != nil {
		t.Fatal(err)
	}
	want := []profiles.Setting{
		{Path: "summary", Value: web.Summary, From: "profile web:3"},
		{Path: "extends", Value: "web", From: "f:3"},
		{Path: "cluster.workers", Value: 0, From: "f:4"},
		{Path: "addons", Value: "ingress-nginx", From: "profile web:5"},
		{Path: "addons", Value: "cert-manager", From: "profile web:6"},
		{Path: "addons", Value: "aa", From: "f:5"},
	}
	if diff := cmp.Diff(want, web.Under(l).Settings()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

package profiles_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/profiles"
)

// TestFlagsSetLayer checks that each type of setting can be a flag, and that a flag overrides a
// file, even with a zero value.
func TestFlagsSetLayer(t *testing.T) {
	t.Parallel()
	file, err := profiles.Parse("lab.yaml", []byte(head+"flavor: kind\ncluster: {workers: 2, controlPlanes: 3, ports: ['1:1'], image: node:v1}\naddons: [aa]\nttl: 2h\n"))
	if err != nil {
		t.Fatal(err)
	}
	var flags profiles.Layer
	for _, f := range [][2]string{
		{"cluster.workers", "0"}, {"cluster.ports", "2:2"}, {"cluster.ports", "3:3"}, {"cluster.image", ""}, {"addons", "bb, cc"}, {"ttl", "90m"},
	} {
		if err := flags.Flag(f[0], "--flag").Set(f[1]); err != nil {
			t.Errorf("%s %q: %v", f[0], f[1], err)
		}
	}
	for path, want := range map[string][]string{"cluster.workers": {"0"}, "cluster.ports": {"2:2", "3:3"}, "cluster.image": {""}, "addons": {"bb", "cc"}, "ttl": {"1h30m0s"}} {
		if diff := cmp.Diff(want, flags.Flag(path, "").Texts()); diff != "" {
			t.Errorf("texts of %s (-want +got):\n%s", path, diff)
		}
	}
	got := file.Under(flags)
	want := profiles.Profile{
		APIVersion: "lab/v1alpha1", Kind: "Lab", Flavor: "kind",
		Cluster: profiles.Cluster{ControlPlanes: 3, Ports: []profiles.Port{"2:2", "3:3"}},
		Addons:  []profiles.Addon{{Name: "aa"}, {Name: "bb"}, {Name: "cc"}},
		TTL:     "1h30m0s",
	}
	if diff := cmp.Diff(want, got.Profile); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for path, from := range map[string]string{
		"cluster.workers": "--flag", "cluster.image": "--flag", "addons.cc": "--flag", "cluster.controlPlanes": "lab.yaml:4", "addons.aa": "lab.yaml:5",
	} {
		if got.Origins[path] != from {
			t.Errorf("%s comes from %q, want %q", path, got.Origins[path], from)
		}
	}
}

// TestFlagRejectsWrongType checks that a flag with an invalid value changes nothing.
func TestFlagRejectsWrongType(t *testing.T) {
	t.Parallel()
	for path, text := range map[string]string{"cluster.workers": "two", "ttl": "soon"} {
		var l profiles.Layer
		if err := l.Flag(path, "--flag").Set(text); err == nil || l.Origins[path] != "" {
			t.Errorf("%s %q: error %v, origin %q", path, text, err, l.Origins[path])
		}
	}
}

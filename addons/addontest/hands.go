package addontest

import (
	"context"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/addons"
)

// Harness returns what Run needs to check the fake itself.
func (f Fake) Harness(c addons.Cluster) Harness {
	change := func(t *testing.T, do func(*machine)) {
		t.Helper()
		if err := f.change(context.WithoutCancel(t.Context()), c, func(m *machine) error { do(m); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	return Harness{
		Installer: f,
		Cluster:   c,
		Read: func(t *testing.T, o addons.Object) (text string, there bool) {
			change(t, func(m *machine) {
				found, ok := m.Objects[key(o)]
				text, there = found.Text, ok
			})
			return text, there
		},
		Make: func(t *testing.T, manifest string) {
			var doc map[string]any
			if err := yaml.Unmarshal([]byte(manifest), &doc); err != nil {
				t.Fatal(err)
			}
			change(t, func(m *machine) { m.put(objectOf(doc, ""), "", doc) })
		},
		Delete: func(t *testing.T, o addons.Object) {
			change(t, func(m *machine) { delete(m.Objects, key(o)) })
		},
		Disown: func(t *testing.T, addon, _ string) {
			change(t, func(m *machine) {
				r := m.Releases[addon]
				r.Foreign = true
				m.Releases[addon] = r
			})
		},
	}
}

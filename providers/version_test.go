package providers_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// versioned is a flavor that knows its versions.
type versioned struct {
	everything
	offered []string
}

// everything is the interfaces that a versioned flavor implements.
type everything interface {
	providers.Provider
	providers.Validator
}

func (v versioned) Versions(context.Context) ([]string, error) { return v.offered, nil }

func TestResolve(t *testing.T) {
	t.Parallel()
	fake := providertest.NewFake(providertest.Machine(t.TempDir()), providertest.FakeOptions{Name: "plain"})
	known := providertest.NewFake(providertest.Machine(t.TempDir()), providertest.FakeOptions{Name: "known"})
	small := providertest.NewFake(providertest.Machine(t.TempDir()), providertest.FakeOptions{Name: "small"})
	set, err := providers.NewSet(fake,
		versioned{known.(everything), []string{"v1.37.2", "v1.37.0", "v1.36.4"}}, versioned{small.(everything), []string{"v1.37.2-k3s1", "v1.36.4-k3s2"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ flavor, asked, want string }{
		{"known", "", ""},
		{"known", "1.37.1", "v1.37.1"}, // exact: it can be pulled
		{"known", "latest", "v1.37.2"},
		{"known", "1.37", "v1.37.2"},
		{"known", "v1.36", "v1.36.4"},
		{"known", "v1.37.0+k3s1", "v1.37.0"},
		{"known", "v1.3", ""},
		{"known", "v1.35", ""},
		{"small", "latest", "v1.37.2-k3s1"},
		{"small", "v1.36", "v1.36.4-k3s2"},
		{"small", "v1.37.2+k3s1", "v1.37.2-k3s1"},
		{"small", "v1.35.0+k3s1", "v1.35.0"},
		{"plain", "1.37", "v1.37"},
		{"plain", "v1.37.2+k3s1", "v1.37.2"},
	} {
		got, err := set.Resolve(t.Context(), test.flavor, providers.Spec{Name: "lab", KubernetesVersion: test.asked})
		switch {
		case test.asked != "" && test.want == "":
			if !errors.Is(err, fault.ErrNotFound) || !strings.Contains(fault.HintOf(err), "v1.37.2, v1.37.0, v1.36.4") {
				t.Errorf("%s: %q: %v, hint %q", test.flavor, test.asked, err, fault.HintOf(err))
			}
		case err != nil || got.KubernetesVersion != test.want:
			t.Errorf("%s: %q: %q, want %q (%v)", test.flavor, test.asked, got.KubernetesVersion, test.want, err)
		}
	}
}

// TestResolveHintsNoRefusedVersion checks that the hint for an unknown version names an exact
// one only where the flavor accepts it.
func TestResolveHintsNoRefusedVersion(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(providers.Spec) error{
		"any": nil,
		"one": func(s providers.Spec) error {
			if s.KubernetesVersion != "" && s.KubernetesVersion != "v1.37.2" {
				return fault.ErrUnsupported
			}
			return nil
		},
	} {
		fake := providertest.NewFake(providertest.Machine(t.TempDir()), providertest.FakeOptions{Refuse: refuse})
		p := versioned{fake.(everything), []string{"v1.37.2"}}
		set, err := providers.NewSet(p)
		if err != nil {
			t.Fatal(err)
		}
		_, err = set.Resolve(t.Context(), "fake", providers.Spec{Name: "lab", KubernetesVersion: "1.36"})
		if hint := fault.HintOf(err); strings.Contains(hint, "v1.36.0") != (name == "any") || !strings.Contains(hint, "v1.37.2") {
			t.Errorf("%s: %v (hint %q)", name, err, hint)
		}
	}
}

// only is a flavor whose program has one version of Kubernetes.
type only struct{ versioned }

func (o only) Check(_ context.Context, spec providers.Spec) error {
	if spec.KubernetesVersion != o.offered[0] {
		return fault.ErrUnsupported
	}
	return nil
}

// TestResolveHintsNoUncreatableVersion: the hint for an unknown version names no exact one that the program lacks.
func TestResolveHintsNoUncreatableVersion(t *testing.T) {
	t.Parallel()
	fake := providertest.NewFake(providertest.Machine(t.TempDir()), providertest.FakeOptions{Name: "one"})
	set, err := providers.NewSet(only{versioned{fake.(everything), []string{"v1.37.2"}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = set.Resolve(t.Context(), "one", providers.Spec{Name: "lab", KubernetesVersion: "v1.36"})
	if hint := fault.HintOf(err); !errors.Is(err, fault.ErrNotFound) || !strings.Contains(hint, "v1.37.2") || strings.Contains(hint, "v1.36.0") {
		t.Errorf("%v, hint %q", err, hint)
	}
}

func TestVersionMatches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		asked, has string
		want       bool
	}{
		{"latest", "v1.36.0", true},
		{"v1.37", "v1.37.2", true},
		{"1.37", "v1.37.2", true},
		{"v1.37", "v1.37.2+k3s1", true},
		{"v1.37.2", "v1.37.2+k3s1", true},
		{"v1.37.2+k3s1", "v1.37.2", true},
		{"v1.3", "v1.37.2", false},
		{"v1.37.2", "v1.37.20", false},
		{"v1.37.1", "v1.37.2", false},
	} {
		if got := providers.VersionMatches(test.asked, test.has); got != test.want {
			t.Errorf("asked %s, has %s: %v", test.asked, test.has, got)
		}
	}
}

package clusteraddons_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestValuesStay: later installations keep the values of earlier ones, and merge theirs over them.
func TestValuesStay(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	spy := &releases{Installer: b.Fake}
	b.Addons.Tools.Installer = spy
	b.Addons.Tools.Values = map[string]addons.Values{"hello": {"a": 0.0, "image": "of the configuration"}}
	q := labtest.Request("demo", "hello")
	q.Addons.Values = map[string]addons.Values{"hello": {"a": 1.0, "m": map[string]any{"x": 1.0}}}
	for _, step := range []struct {
		values addons.Values
		want   addons.Values
	}{
		{addons.Values{"a": 1.0, "m": map[string]any{"x": 1.0}}, addons.Values{"a": 1.0, "m": map[string]any{"x": 1.0}}},
		{nil, addons.Values{"a": 1.0, "m": map[string]any{"x": 1.0}}},
		{addons.Values{"m": map[string]any{"y": 2.0}}, addons.Values{"a": 1.0, "m": map[string]any{"x": 1.0, "y": 2.0}}},
		{nil, addons.Values{"a": 1.0, "m": map[string]any{"x": 1.0, "y": 2.0}}},
	} {
		q.Addons.Values = map[string]addons.Values{"hello": step.values}
		if _, err := b.Up(t.Context(), q, nil); err != nil {
			t.Fatal(err)
		}
		step.want["image"] = "of the configuration"
		if diff := cmp.Diff(step.want, spy.last("hello").Values); diff != "" {
			t.Errorf("%v (-want +got):\n%s", step.values, diff)
		}
	}
}

// releases records the arguments of an installer.
type releases struct {
	addons.Installer
	mu  sync.Mutex
	all []addons.Release
}

func (r *releases) Install(ctx context.Context, c addons.Cluster, in addons.Release, moved func(string)) (addons.Installed, error) {
	r.mu.Lock()
	r.all = append(r.all, in)
	r.mu.Unlock()
	return r.Installer.Install(ctx, c, in, moved)
}

func (r *releases) last(name string) addons.Release {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, in := range slices.Backward(r.all) {
		if in.Addon.Name == name {
			return in
		}
	}
	return addons.Release{}
}

// TestUpgrade: an addon keeps its definition until it is upgraded.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.Define(t, "shop", "name: shop\nchart: {oci: oci://x/shop, version: 1.0.0}\n")
	b.MustUp(t, "demo", "shop")
	b.Define(t, "shop", "name: shop\nchart: {oci: oci://x/shop, version: 2.0.0}\n")
	version := func(c output.Cluster, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return c.Addons[0].Version
	}
	q := clusteraddons.Request{Names: []string{"hello"}, Upgrade: true}
	if _, err := b.Addons.Install(t.Context(), "demo", q, nil); !errors.Is(err, fault.ErrNotFound) || !strings.Contains(fault.HintOf(err), "lab addon install hello") {
		t.Errorf("of one that is not there: %v", err)
	}
	q = clusteraddons.Request{Names: []string{"shop"}}
	if got := version(b.Addons.Install(t.Context(), "demo", q, nil)); got != "1.0.0" {
		t.Errorf("installed again it is %s", got)
	}
	q.Upgrade = true
	changes, err := b.Addons.Preview(t.Context(), "demo", q)
	if err != nil || len(changes.Items) != 1 || changes.Items[0].Version != "2.0.0" || len(changes.Items[0].Changes) == 0 {
		t.Errorf("%+v, %v", changes, err)
	}
	if got := version(b.Status(t.Context(), "demo")); got != "1.0.0" {
		t.Errorf("the preview changed it to %s", got)
	}
	if got := version(b.Addons.Install(t.Context(), "demo", q, nil)); got != "2.0.0" {
		t.Errorf("upgraded it is %s", got)
	}
}

func TestRemoveAddon(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.Define(t, "shop", "name: shop\nchart: {path: ./shop}\nneeds: [hello]\n")
	b.MustUp(t, "demo", "shop")
	if err := b.Addons.Remove(t.Context(), "demo", "hello", nil); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(fault.HintOf(err), "remove shop --name demo") {
		t.Errorf("one that another needs: %v (hint %q)", err, fault.HintOf(err))
	}
	for _, addon := range []string{"shop", "hello"} {
		if err := b.Addons.Remove(t.Context(), "demo", addon, nil); err != nil {
			t.Error(err)
		}
	}
	if c := b.MustUp(t, "demo"); len(c.Addons) > 0 {
		t.Errorf("there is %+v", c.Addons)
	}
	if err := b.Addons.Remove(t.Context(), "demo", "hello", nil); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("twice: %v", err)
	}
	if err := b.Addons.Remove(t.Context(), "nope", "hello", nil); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("of no cluster: %v", err)
	}
}

// TestKeptIsReported: addon remove and up --prune name the objects that they keep, and how to delete them.
func TestKeptIsReported(t *testing.T) {
	t.Parallel()
	for how, remove := range map[string]func(labtest.Bench, event.Reporter) error{
		"addon remove": func(b labtest.Bench, report event.Reporter) error {
			return b.Addons.Remove(t.Context(), "demo", "hello", report)
		},
		"up --prune": func(b labtest.Bench, report event.Reporter) error {
			q := labtest.Request("demo")
			q.Prune = true
			_, err := b.Up(t.Context(), q, report)
			return err
		},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			b := labtest.WithAddons(t, labtest.OnNodes())
			b.MustUp(t, "demo", "hello")
			config, err := b.Config(t.Context(), "demo")
			if err != nil {
				t.Fatal(err)
			}
			b.Fake.Harness(addons.Cluster{Kubeconfig: config}).Make(t, "kind: ConfigMap\nmetadata: {name: mine, namespace: hello}\n")
			var warnings []string
			err = remove(b, func(e event.Event) {
				if e.State == event.Warning {
					warnings = append(warnings, e.Message)
				}
			})
			if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "Namespace hello stays: ConfigMap hello/mine") ||
				!strings.Contains(warnings[0], "To delete it with all its objects: lab kubectl demo -- delete namespace hello") {
				t.Errorf("%q, %v", warnings, err)
			}
		})
	}
}

// TestSharedNamespaceIsNotOffered: lab does not name a command that deletes a namespace that
// another addon is in.
func TestSharedNamespaceIsNotOffered(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.Define(t, "shop", "name: shop\nchart: {path: ./shop}\nnamespace: hello\n")
	b.MustUp(t, "demo", "hello", "shop")
	config, err := b.Config(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	b.Fake.Harness(addons.Cluster{Kubeconfig: config}).Make(t, "kind: ConfigMap\nmetadata: {name: mine, namespace: hello}\n")
	var warnings []string
	err = b.Addons.Remove(t.Context(), "demo", "hello", func(e event.Event) {
		if e.State == event.Warning {
			warnings = append(warnings, e.Message)
		}
	})
	text := strings.Join(warnings, "\n")
	if err != nil || !strings.Contains(text, "Namespace hello stays") || strings.Contains(text, "delete namespace") {
		t.Errorf("%q, %v", warnings, err)
	}
}

// TestUnfinishedTakesCurrentDefinition: an addon keeps its definition only if it was installed once.
func TestUnfinishedTakesCurrentDefinition(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.Addons.Tools.Source = func(bool, []byte) addons.Source { return without{"0.0.1"} }
	define := func(version string) {
		t.Helper()
		b.Define(t, "shop", "name: shop\nchart: {oci: oci://example.org/shop, version: "+version+"}\n")
	}
	define("0.0.1")
	if _, err := b.Up(t.Context(), labtest.Request("demo", "shop"), nil); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("%v, want ErrNotFound", err)
	}
	for _, version := range []string{"1.0.0", "2.0.0"} {
		define(version)
		if c := b.MustUp(t, "demo"); c.Addons[0].Version != "1.0.0" {
			t.Errorf("defined as %s it is %s, want 1.0.0", version, c.Addons[0].Version)
		}
	}
	define("0.0.1")
	upgrade := clusteraddons.Request{Names: []string{"shop"}, Upgrade: true}
	if _, err := b.Addons.Install(t.Context(), "demo", upgrade, nil); !errors.Is(err, fault.ErrNotFound) {
		t.Fatalf("%v, want ErrNotFound", err)
	}
	define("3.0.0")
	if c := b.MustUp(t, "demo"); c.Addons[0].Version != "3.0.0" {
		t.Errorf("after an upgrade that failed it is %s, want 3.0.0", c.Addons[0].Version)
	}
}

// without is a source without one version.
type without struct{ version string }

func (w without) Chart(ctx context.Context, c addons.Chart) (addons.Archive, error) {
	if c.Version == w.version {
		return addons.Archive{}, fault.Errorf(fault.ErrNotFound, "no version %s", c.Version)
	}
	return addontest.Source{}.Chart(ctx, c)
}

package clusters_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// imaged is a flavor whose nodes have one image.
type imaged struct {
	providers.Provider
	image string
	err   error // of Check, or of NodeImages if image is ""
}

func (i imaged) Check(context.Context, providers.Spec) error {
	if i.image == "" {
		return nil
	}
	return i.err
}

func (i imaged) NodeImages(providers.Spec) ([]string, error) {
	if i.image == "" {
		return nil, i.err
	}
	return []string{i.image}, nil
}

func (imaged) LacksImages(context.Context, []string) ([]string, error) { return nil, nil }

// Downloads makes a flavor download more if its image is pulling-node.
func (i imaged) Downloads() string {
	return map[string]string{"pulling-node": "its components"}[i.image]
}

func (imaged) KeepImages(context.Context, string) error { return nil }

// lacking lacks the images of which it is the list.
type lacking struct {
	everything
	images string
}

func (l lacking) CheckNodeImages(_ context.Context, _ string, images []string) error {
	if strings.Contains(l.images, images[0]) {
		return fault.Errorf(fault.ErrUnavailable, "no bundle has %s", images[0])
	}
	return nil
}

func (l lacking) Lacks(_ context.Context, images []string) (lacks []string, err error) {
	for _, image := range images {
		if strings.Contains(l.images, image) {
			lacks = append(lacks, image)
		}
	}
	return lacks, nil
}

// flavored returns a bench with the flavors stopped, which is not usable; secret, whose images only its tool knows;
// pulling, which downloads more than its images; first and second; and bare, which has no images and does not run pods.
func flavored(t *testing.T) labtest.Bench {
	t.Helper()
	b := labtest.WithAddons(t, labtest.OnNodes())
	flavor := func(name string, pods bool) providers.Provider {
		return providertest.NewFake(providertest.Machine(filepath.Join(t.TempDir(), name)), providertest.FakeOptions{
			Name: name, Traits: providers.Traits{RunsPods: pods, HostPorts: providers.HostPortsNode},
		})
	}
	set, err := providers.NewSet(
		imaged{flavor("stopped", true), "stopped-node", fault.Errorf(fault.ErrUnavailable, "its engine sleeps")},
		imaged{flavor("secret", true), "", fault.Errorf(fault.ErrUnsupported, "only secret knows its images")},
		imaged{flavor("pulling", true), "pulling-node", nil},
		imaged{flavor("first", true), "first-node", nil}, imaged{flavor("second", true), "second-node", nil}, flavor("bare", false),
	)
	if err != nil {
		t.Fatal(err)
	}
	b.Inventory.Set = set
	b.Addons.Tools.Images = func(addons.Release) ([]addons.Image, error) { return []addons.Image{{Name: "web:v1"}}, nil }
	return b
}

func offlineRequest() clusters.UpRequest {
	return clusters.UpRequest{Spec: providers.Spec{Name: "demo"}, Addons: clusteraddons.Request{Names: []string{"hello"}, Offline: true}}
}

// TestOfflineChoosesFlavor checks that an offline request without a flavor gets the first for which this machine has
// everything, and that lab says why it skips those before it.
func TestOfflineChoosesFlavor(t *testing.T) {
	t.Parallel()
	for lacks, test := range map[string]struct {
		flavor  string
		skipped []string
	}{
		"":                   {"first", nil},
		"first-node":         {"second", []string{"first: no bundle has first-node"}},
		"first-node, web:v1": {"bare", []string{"first: no bundle has first-node", "second: no bundle on this machine has web:v1"}},
	} {
		b := flavored(t)
		b.Clusters.Imported = lacking{images: lacks}
		plan, err := b.DryRun(t.Context(), offlineRequest())
		if err != nil || plan.Flavor != test.flavor || len(plan.Skipped) != len(test.skipped)+3 {
			t.Fatalf("lacks %q: %s, skipped %q, %v", lacks, plan.Flavor, plan.Skipped, err)
		}
		var steps []string
		_, err = b.Up(t.Context(), offlineRequest(), func(e event.Event) {
			if e.State == event.Done && (strings.HasPrefix(e.Step, "Skipping ") || strings.HasPrefix(e.Step, "Using ")) {
				steps = append(steps, e.Step)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		want := []string{}
		for _, s := range plan.Skipped {
			want = append(want, "Skipping "+s.Flavor+": "+s.Reason)
		}
		want = append(want, "Using "+test.flavor+": everything that the cluster needs is on this machine")
		if diff := cmp.Diff(want, steps); diff != "" {
			t.Errorf("lacks %q (-want +got):\n%s", lacks, diff)
		}
		for i, text := range append([]string{"its engine sleeps", "only secret knows its images", "pulling: it downloads its components, which"}, test.skipped...) {
			if !strings.Contains(want[i], text) {
				t.Errorf("lacks %q: %q, want %q", lacks, want[i], text)
			}
		}
	}
}

// TestOfflineWithoutFlavor checks that everything is named that the first usable flavor lacks if there is no flavor for
// which this machine has everything.
func TestOfflineWithoutFlavor(t *testing.T) {
	t.Parallel()
	b := flavored(t)
	b.Clusters.Imported = lacking{images: "first-node, second-node"}
	b.Addons.Tools.Source = func(bool, []byte) addons.Source { return uncached{} }
	_, err := b.Up(t.Context(), offlineRequest(), nil)
	if !errors.Is(err, fault.ErrUnavailable) {
		t.Fatal(err)
	}
	for _, text := range []string{"stopped: ", "\nfirst: addon hello: it is not cached\n  no bundle has first-node", "\nsecond: addon hello", "\nbare: addon hello"} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("no %q in: %v", text, err)
		}
	}
	if strings.Contains(err.Error(), "second-node") {
		t.Errorf("it names everything of the second flavor: %v", err)
	}
	if hint := fault.HintOf(err); !strings.Contains(hint, "lab bundle create FILE --flavor first --addon hello;") {
		t.Errorf("hint: %s", hint)
	}
	q := offlineRequest()
	q.Addons.Names = []string{"nothing-like-it"}
	if _, err := b.Up(t.Context(), q, nil); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("unknown addon: %v", err)
	}
}

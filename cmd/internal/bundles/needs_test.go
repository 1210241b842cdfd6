package bundles

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// engine is a flavor whose container engine has images.
type engine struct {
	providers.Provider
	has  []string
	down bool
	kept *int // how many archives the engine got
}

func (e engine) Name() string { return "fake" }

func (e engine) NodeImages(providers.Spec) ([]string, error) { return nil, nil }

func (e engine) LacksImages(_ context.Context, images []string) ([]string, error) {
	if e.down {
		return nil, fault.Errorf(fault.ErrUnavailable, "it sleeps")
	}
	return slices.DeleteFunc(slices.Clone(images), func(i string) bool { return slices.Contains(e.has, i) }), nil
}

func (e engine) KeepImages(context.Context, string) error {
	*e.kept++
	return nil
}

// with returns the bundles of the machine, with another engine.
func (m *machine) with(t *testing.T, e engine) *Bundles {
	t.Helper()
	set, err := providers.NewSet(e)
	check(t, err)
	b := *m.Bundles
	b.Set = set
	return &b
}

const digestText = "@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// TestNeeds checks that everything that a cluster needs is listed, with where it is and what must be downloaded.
func TestNeeds(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.class(t)
	check(t, m.Store.Tag(t.Context(), m.image(t, "cached"), "docker.io/library/cached:v1"))
	check(t, m.Store.Tag(t.Context(), m.image(t, "half of it"), "docker.io/library/half:v1"))
	check(t, os.Remove(m.blobFile(descriptorOf("", []byte("half of it")))))
	file := func(text string) map[string]tools.File {
		return map[string]tools.File{platform: {SHA256: descriptorOf("", []byte(text)).Digest.Encoded()}}
	}
	m.Tools.Catalog = func() (tools.Catalog, error) {
		return tools.Catalog{{Name: "kubectl", Version: "v1", Files: file("a tool")}, {Name: "helm", Version: "v2", Files: file("another")}}, nil
	}
	b := m.with(t, engine{has: []string{"node:v1", "web:v9"}})
	chart := addons.Chart{Repository: "https://a.example", Name: "a", Version: "1.0.0"}
	needs, err := b.needs(t.Context(), Request{}, clusters.Contents{
		Flavor: "fake", NodeImages: []string{"node:v1" + digestText, "proxy:v1", "web:v1"},
		Releases: []addons.Release{
			{Addon: addons.Addon{Name: "shop", Chart: chart}, Chart: addons.Archive{Data: []byte("data")}},
			{Addon: addons.Addon{Name: "mine", Chart: addons.Chart{Path: "."}}},
		},
		Images:   []addons.Image{{Name: "web:v1"}, {Name: "cached:v1"}, {Name: "half:v1"}, {Name: "web:v9"}, {Name: "new:v1"}, {Name: "new:v1"}},
		Uncached: []addons.Addon{{Name: "other", Chart: chart}},
	})
	check(t, err)
	size := func(n int64) *int64 { return &n }
	lib := "docker.io/library/"
	bundled, cached := needs.Items[2].Size, needs.Items[6].Size // with manifests
	want := Needs{Flavor: "fake", Size: int64(len("half of it")), Unknown: 5, Notes: needs.Notes, Items: []Need{
		{Kind: KindNodeImage, Name: lib + "node:v1" + digestText, Place: InEngine},
		{Kind: KindNodeImage, Name: lib + "proxy:v1", Download: true},
		{Kind: KindNodeImage, Name: web, Place: InBundle, Size: bundled},
		{Kind: KindChart, Name: "shop", Version: "1.0.0", Place: InChartCache, Size: size(4)},
		{Kind: KindChart, Name: "other", Version: "1.0.0", Download: true},
		{Kind: KindImage, Name: web, Place: InBundle, Size: bundled},
		{Kind: KindImage, Name: lib + "cached:v1", Place: InImageCache, Size: cached},
		{Kind: KindImage, Name: lib + "half:v1", Download: true, Size: size(int64(len("half of it")))},
		{Kind: KindImage, Name: lib + "web:v9", Place: InEngine, Download: true},
		{Kind: KindImage, Name: lib + "new:v1", Download: true},
		{Kind: KindTool, Name: "kubectl", Version: "v1", Place: InBundle, Size: size(6)},
		{Kind: KindTool, Name: "helm", Version: "v2", Download: true},
	}}
	if diff := cmp.Diff(want, needs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if bundled == nil || *bundled < 7 || cached == nil || *cached < 6 {
		t.Errorf("sizes of stored images: %v, %v", bundled, cached)
	}
	if len(needs.Notes) != 1 || !strings.Contains(needs.Notes[0], "lab addon images other") {
		t.Errorf("notes: %q", needs.Notes)
	}
}

// TestNeedsWithoutEngine checks that an engine that does not answer is not taken for one that has the images.
func TestNeedsWithoutEngine(t *testing.T) {
	t.Parallel()
	b := newMachine(t).with(t, engine{down: true})
	needs, err := b.needs(t.Context(), Request{NoTools: true}, clusters.Contents{
		Flavor: "fake", NodeImages: []string{"node:v1"}, Images: []addons.Image{{Name: "web:v1"}}, ToolImages: true,
	})
	check(t, err)
	want := []Need{{Kind: KindNodeImage, Name: "docker.io/library/node:v1", Download: true}, {Kind: KindImage, Name: web, Download: true}}
	if diff := cmp.Diff(want, needs.Items); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	notes := strings.Join(needs.Notes, "\n")
	if !strings.Contains(notes, "it sleeps") || !strings.Contains(notes, "only fake knows") {
		t.Errorf("notes: %s", notes)
	}
}

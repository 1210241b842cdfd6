package bundles

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/images/store"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// small creates a bundle with a tool.
func (m *machine) small(t *testing.T, name, content string) Bundle {
	t.Helper()
	c := &collector{Bundles: m.Bundles, bundle: Bundle{Name: name, Platform: platform}}
	check(t, c.artifact(t.Context(), Item{Kind: KindTool, Name: "kubectl"}, []byte(content)))
	b, err := c.finish(t.Context())
	check(t, err)
	return b
}

// blobFile returns the file of content in the store.
func (m *machine) blobFile(d ocispec.Descriptor) string {
	return filepath.Join(m.Store.Dir(), "blobs", "sha256", d.Digest.Encoded())
}

// TestFailedImportKeepsBundle checks that a bundle stays until another one with its name is complete.
func TestFailedImportKeepsBundle(t *testing.T) {
	t.Parallel()
	from, to := newMachine(t), newMachine(t)
	old := from.class(t)
	_, err := to.Import(t.Context(), bytes.NewReader(from.file(t, old)), nil)
	check(t, err)
	fresh := from.small(t, "class", strings.Repeat("fresh", 4096))
	file := from.file(t, fresh)
	if _, err := to.Import(t.Context(), bytes.NewReader(file[:len(file)-8192]), nil); !errors.Is(err, fault.ErrForeign) {
		t.Fatalf("half of it: %v", err)
	}
	_, err = to.Store.Prune(t.Context(), 0)
	check(t, err)
	if b, err := to.Verify(t.Context(), "class"); err != nil || b.Digest != old.Digest {
		t.Errorf("after a failed import: %s, %v", b.Digest, err)
	}
	_, err = to.Import(t.Context(), bytes.NewReader(file), nil)
	check(t, err)
	if b, err := to.Verify(t.Context(), "class"); err != nil || b.Digest != fresh.Digest {
		t.Errorf("after the import: %s, %v", b.Digest, err)
	}
}

// TestBadBundle checks that a bundle that can never be complete leaves no trace, and that damaged ones do not disable
// the others: they are listed with their problem, can be removed, and an import repairs them.
func TestBadBundle(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	good := m.class(t)
	file := m.file(t, good)
	bad := Bundle{Name: "bad", Platform: platform, Items: []Item{{Kind: KindImage, Name: web}}}
	d, err := pushBytes(t.Context(), m.Store, ocispec.MediaTypeImageManifest, []byte("not JSON"))
	check(t, err)
	bad.Items[0].manifest = d
	in := &reader{bundle: bad, data: encoded(t, bad)}
	_, err = m.importAs(t.Context(), in.bundle, in.data, nil, func(*Bundles, *meter) error {
		return m.keep(t.Context(), newExpected(bad), d, strings.NewReader("not JSON"))
	})
	if !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("not JSON: %v", err)
	}
	list, err := m.List(t.Context())
	if err != nil || len(list.Items) != 1 {
		t.Errorf("list: %+v, %v", list.Items, err)
	}
	root := descriptorOf(ocispec.MediaTypeImageIndex, bytes.ReplaceAll(encoded(t, good), []byte(keyFormat+`":"1"`), []byte(keyFormat+`":"2"`)))
	check(t, push(t.Context(), m.Store, root, bytes.NewReader(bytes.ReplaceAll(encoded(t, good), []byte(keyFormat+`":"1"`), []byte(keyFormat+`":"2"`)))))
	check(t, m.Store.Pin(t.Context(), pinPrefix+"newer", root))
	list, err = m.List(t.Context())
	if err != nil || len(list.Items) != 2 || list.Items[1].Problem == "" || list.Items[1].Complete {
		t.Errorf("list: %+v, %v", list.Items, err)
	}
	if _, err := m.Verify(t.Context(), "newer"); !errors.Is(err, fault.ErrUnsupported) {
		t.Errorf("verify newer: %v", err)
	}
	if _, err := m.Verify(t.Context(), "class"); err != nil {
		t.Errorf("verify class: %v", err)
	}
	for _, text := range []string{"damaged", strings.Repeat("x", len(encoded(t, good)))} {
		check(t, os.WriteFile(m.blobFile(descriptorOf("", encoded(t, good))), []byte(text), 0o600))
		_, err = m.Import(t.Context(), bytes.NewReader(file), nil)
		check(t, err)
		if _, err := m.Verify(t.Context(), "class"); err != nil {
			t.Errorf("repaired: %v", err)
		}
	}
	check(t, m.Remove(t.Context(), "newer"))
	check(t, m.Remove(t.Context(), "class"))
}

// TestRemoveDuringImport checks that an import does not succeed if its bundle is removed meanwhile.
func TestRemoveDuringImport(t *testing.T) {
	t.Parallel()
	from, to := newMachine(t), newMachine(t)
	b := from.small(t, "class", "a tool")
	read := from.file(t, b)
	in, err := open(bytes.NewReader(read))
	check(t, err)
	_, err = to.importAs(t.Context(), b, in.data, nil, func(b *Bundles, m *meter) error {
		err := b.take(t.Context(), in, m)
		return errors.Join(err, to.Remove(t.Context(), "class"))
	})
	if !errors.Is(err, fault.ErrUnavailable) || fault.HintOf(err) == "" {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
	if list, err := to.List(t.Context()); err != nil || len(list.Items) != 0 {
		t.Errorf("list: %+v, %v", list.Items, err)
	}
}

// TestImportNeedsSpace checks that an import that cannot fit ends before anything is written.
func TestImportNeedsSpace(t *testing.T) {
	t.Parallel()
	from, to := newMachine(t), newMachine(t)
	file := from.file(t, from.class(t))
	to.Store = store.Open(to.Store.Dir(), store.Options{Free: func(string) (int64, error) { return store.DefaultReserve + 4096, nil }})
	_, err := to.Import(t.Context(), io.NewSectionReader(bytes.NewReader(file), 0, math.MaxInt64), nil)
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "2.0 GB that stay free") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(to.Store.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
}

// TestDamagedLayer checks that layers that were damaged after an import, without a change of their size, are found by all
// that read them, and repaired by an import.
func TestDamagedLayer(t *testing.T) {
	t.Parallel()
	from, to := newMachine(t), newMachine(t)
	c := &collector{Bundles: from.Bundles, bundle: Bundle{Name: "class", Platform: platform}}
	text := strings.Repeat("layer", 1<<20) // larger than a manifest can be
	check(t, c.add(t.Context(), Item{Kind: KindImage, Name: web, manifest: from.image(t, text)}))
	check(t, c.artifact(t.Context(), Item{Kind: KindTool, Name: "kubectl"}, []byte(text[1:])))
	b, err := c.finish(t.Context())
	check(t, err)
	file := from.file(t, b)
	_, err = to.Import(t.Context(), bytes.NewReader(file), nil)
	check(t, err)
	damage := func(m *machine, text string) {
		t.Helper()
		path := m.blobFile(descriptorOf("", []byte(text)))
		check(t, os.Chmod(path, 0o600))
		check(t, os.WriteFile(path, []byte(strings.Replace(text, "layer", "later", 2)), 0o600))
	}
	damage(to, text)
	err = to.withArchive(t.Context(), b.Items[:1], func(string) error {
		t.Error("the damaged image was loaded")
		return nil
	})
	if !errors.Is(err, fault.ErrForeign) || !strings.Contains(err.Error(), web) || !strings.Contains(fault.HintOf(err), "lab bundle import") {
		t.Errorf("an image: %v (hint %q)", err, fault.HintOf(err))
	}
	_, err = to.Import(t.Context(), bytes.NewReader(file), nil)
	check(t, err)
	damage(to, text)
	damage(to, text[1:])
	_, err = to.Import(t.Context(), bytes.NewReader(file), nil)
	check(t, err)
	if _, err := to.Verify(t.Context(), "class"); err != nil {
		t.Errorf("after another import: %v", err)
	}
	damage(to, text[1:])
	next := func(context.Context, tools.Tool, tools.File, func(string)) ([]byte, error) {
		return []byte("next"), nil
	}
	tool := tools.File{SHA256: descriptorOf("", []byte(text[1:])).Digest.Encoded()}
	if got, err := to.Stored(next)(t.Context(), tools.Tool{}, tool, nil); err != nil || string(got) != "next" {
		t.Errorf("a tool: %d bytes, %v", len(got), err)
	}
	damage(from, text)
	if err := from.Write(t.Context(), b, io.Discard, nil); !errors.Is(err, fault.ErrForeign) || fault.HintOf(err) == "" {
		t.Errorf("a bundle: %v (hint %q)", err, fault.HintOf(err))
	}
}

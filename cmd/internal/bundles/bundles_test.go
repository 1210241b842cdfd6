package bundles

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/cmd/internal/tools"
	"github.com/clusterlab-dev/lab/images/store"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const platform = "linux/amd64"

// machine is a machine for bundles, with the charts that were imported.
type machine struct {
	*Bundles
	charts map[string]string // by their repository
}

func newMachine(t testing.TB) *machine {
	t.Helper()
	set, err := providers.NewSet()
	check(t, err)
	dir := t.TempDir()
	m := &machine{charts: map[string]string{}}
	m.Bundles = &Bundles{
		Store: store.Open(filepath.Join(dir, "images"), store.Options{Free: func(string) (int64, error) { return math.MaxInt64, nil }}),
		Set:   set, Dir: dir, Platform: platform, Lab: "v1.0.0",
		Tools:     tools.Installer{Dir: filepath.Join(dir, "bin"), Platform: platform},
		KeepChart: func(c addons.Chart, data []byte) error { m.charts[c.Repository] = string(data); return nil },
		Client:    func([]byte) (download.Client, error) { return download.New(download.Options{}) },
		Missing:   func(string) bool { return true },
	}
	return m
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// image stores an image with layers.
func (m *machine) image(t *testing.T, layers ...string) ocispec.Descriptor {
	t.Helper()
	config, err := pushBytes(t.Context(), m.Store, ocispec.MediaTypeImageConfig, []byte(`{"architecture":"amd64","os":"linux"}`))
	check(t, err)
	manifest := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: config}
	for _, text := range layers {
		layer, err := pushBytes(t.Context(), m.Store, ocispec.MediaTypeImageLayer, []byte(text))
		check(t, err)
		manifest.Layers = append(manifest.Layers, layer)
	}
	data, err := json.Marshal(manifest)
	check(t, err)
	d, err := pushBytes(t.Context(), m.Store, ocispec.MediaTypeImageManifest, data)
	check(t, err)
	return d
}

const web = "docker.io/library/web:v1"

// class creates a bundle with one item of each kind.
func (m *machine) class(t *testing.T) Bundle {
	t.Helper()
	c := &collector{Bundles: m.Bundles, bundle: Bundle{Name: "class", Platform: platform, Lab: m.Lab, Flavors: []string{"kind"}}}
	ctx := t.Context()
	check(t, c.artifact(ctx, Item{Kind: KindChart, Name: "shop", Version: "1.0.0", Chart: &addons.Chart{Repository: "https://a.example", Name: "shop", Version: "1.0.0"}}, []byte("a chart")))
	check(t, c.artifact(ctx, Item{Kind: KindTool, Name: "kubectl", Version: "v1.37.1"}, []byte("a tool")))
	check(t, c.artifact(ctx, Item{Kind: KindProgram, Name: "lab-engine", Version: "v1.0.0"}, []byte("a program")))
	check(t, c.add(ctx, Item{Kind: KindImage, Name: web, manifest: m.image(t, "base", "web")}))
	check(t, c.add(ctx, Item{Kind: KindImage, Name: "docker.io/library/db:v1", manifest: m.image(t, "base", strings.Repeat("db", 4096))}))
	b, err := c.finish(ctx)
	check(t, err)
	return b
}

// file returns a bundle as a file.
func (m *machine) file(t *testing.T, b Bundle) []byte {
	t.Helper()
	var file bytes.Buffer
	check(t, m.Write(t.Context(), b, &file, nil))
	return file.Bytes()
}

// TestImport checks that a machine has everything of a bundle after an import, under the names that lab looks for.
func TestImport(t *testing.T) {
	t.Parallel()
	from, to := newMachine(t), newMachine(t)
	b := from.class(t)
	file := from.file(t, b)
	if !bytes.Equal(file, newMachineOf(t, b).file(t, b)) {
		t.Error("equal bundles are different files")
	}
	got, err := to.Import(t.Context(), bytes.NewReader(file), nil)
	check(t, err)
	if diff := cmp.Diff(b, got, cmpopts.IgnoreUnexported(Item{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"https://a.example": "a chart"}, to.charts); diff != "" {
		t.Errorf("charts (-want +got):\n%s", diff)
	}
	if data, err := os.ReadFile(to.Tools.Path("lab-engine")); err != nil || string(data) != "a program" {
		t.Errorf("the program: %q, %v", data, err)
	}
	if d, err := to.Store.Resolve(t.Context(), web); err != nil || d.Digest != b.Items[3].Digest {
		t.Errorf("the image: %v, %v", d, err)
	}
	list, err := to.List(t.Context())
	check(t, err)
	if len(list.Items) != 1 || list.Items[0].Digest != b.Digest || !list.Items[0].Complete {
		t.Errorf("list: %+v", list.Items)
	}
	if _, err := to.Verify(t.Context(), "class"); err != nil {
		t.Error(err)
	}
}

// newMachineOf returns another machine with the content of the bundle that class creates.
func newMachineOf(t *testing.T, b Bundle) *machine {
	t.Helper()
	m := newMachine(t)
	if again := m.class(t); again.Digest != b.Digest {
		t.Errorf("the bundle has the digest %s, and then %s", b.Digest, again.Digest)
	}
	return m
}

// counted counts the bytes that are read.
type counted struct {
	io.ReadSeeker
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadSeeker.Read(p)
	c.n += int64(n)
	return n, err
}

// TestImportAgain checks that an import does not read what is stored already, also after an interruption.
func TestImportAgain(t *testing.T) {
	t.Parallel()
	from, to := newMachine(t), newMachine(t)
	c := &collector{Bundles: from.Bundles, bundle: Bundle{Name: "class", Platform: platform}}
	for _, name := range []string{"lab-a", "lab-b"} {
		check(t, c.artifact(t.Context(), Item{Kind: KindTool, Name: name}, bytes.Repeat([]byte(name), 1<<20)))
	}
	b, err := c.finish(t.Context())
	check(t, err)
	file := from.file(t, b)
	_, err = to.Import(t.Context(), bytes.NewReader(file[:len(file)*3/4]), nil)
	if !errors.Is(err, fault.ErrForeign) || !strings.Contains(err.Error(), "it ends within the tool lab-b") {
		t.Fatalf("half of it: %v", err)
	}
	list, err := to.List(t.Context())
	check(t, err)
	if len(list.Items) != 1 || list.Items[0].Complete {
		t.Errorf("%+v, want one that is not complete", list.Items)
	}
	for _, share := range []float64{0.6, 0.05} {
		in := &counted{ReadSeeker: bytes.NewReader(file)}
		_, err := to.Import(t.Context(), in, nil)
		check(t, err)
		if most := int64(share * float64(len(file))); in.n > most {
			t.Errorf("read %d of %d bytes, want at most %d", in.n, len(file), most)
		}
	}
}

// TestDamage checks that no changed or missing byte of the content remains unnoticed, in a file and in a store.
func TestDamage(t *testing.T) {
	t.Parallel()
	from := newMachine(t)
	b := from.class(t)
	file := from.file(t, b)
	_, err := VerifyFile(t.Context(), bytes.NewReader(file), func(int64) {})
	check(t, err)
	start := bytes.Index(file, []byte(blobsDir)) // the index before it only names the root
	for at := start; at < len(file); at += 61 {
		wrong := bytes.Clone(file)
		wrong[at] ^= 1
		imports := at%17 == 0 // each takes a hundred times as long as a verification
		if file[at] != 0 {    // zeros fill up the blocks of the tar
			refused(t, wrong, at, imports)
		}
		if at < len(file)-1024 { // the end of a tar is two empty blocks
			refused(t, file[:at], at, imports)
		}
	}
	const owner = "the image docker.io/library/db:v1 ("
	wrong := bytes.Replace(file, []byte("dbdb"), []byte("dbDb"), 1)
	if _, err := VerifyFile(t.Context(), bytes.NewReader(wrong), func(int64) {}); err == nil || !strings.Contains(err.Error(), owner) {
		t.Errorf("%v, want an error that names %s", err, owner)
	}
	path := filepath.Join(from.Store.Dir(), "blobs", "sha256", b.Items[4].Digest.Encoded())
	check(t, os.Chmod(path, 0o600))
	check(t, os.WriteFile(path, []byte("{}"), 0o600))
	if _, err := from.Verify(t.Context(), "class"); !errors.Is(err, fault.ErrForeign) || !strings.Contains(err.Error(), "docker.io/library/db:v1") {
		t.Errorf("in the store: %v", err)
	}
}

// refused checks that a damaged file is neither verified nor imported.
func refused(t *testing.T, file []byte, at int, imports bool) {
	t.Helper()
	if _, err := VerifyFile(t.Context(), bytes.NewReader(file), func(int64) {}); err == nil {
		t.Errorf("byte %d: verified", at)
	}
	if !imports {
		return
	}
	if _, err := newMachine(t).Import(t.Context(), bytes.NewReader(file), nil); err == nil {
		t.Errorf("byte %d: imported", at)
	}
}

// TestUnsupported checks that nothing is written for a bundle that this machine cannot use.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	from := newMachine(t)
	b := from.class(t)
	other := b
	other.Platform = "darwin/arm64"
	newer := bytes.ReplaceAll(encoded(t, b), []byte(keyFormat+`":"1"`), []byte(keyFormat+`":"2"`))
	for what, root := range map[string][]byte{"another platform": encoded(t, other), "a newer format": newer} {
		d, err := pushBytes(t.Context(), from.Store, ocispec.MediaTypeImageIndex, root)
		check(t, err)
		var file bytes.Buffer
		check(t, from.write(t.Context(), &file, d, func(int64) {}))
		to := newMachine(t)
		_, err = to.Import(t.Context(), &file, nil)
		if !errors.Is(err, fault.ErrUnsupported) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v (hint %q)", what, err, fault.HintOf(err))
		}
		if _, err := os.Stat(to.Store.Dir()); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: something was written: %v", what, err)
		}
	}
}

func encoded(t *testing.T, b Bundle) []byte {
	t.Helper()
	data, _, err := encode(b)
	check(t, err)
	return data
}

// TestUnknownContent checks that nothing gets into the store that the root does not name.
func TestUnknownContent(t *testing.T) {
	t.Parallel()
	from, to := newMachine(t), newMachine(t)
	b := from.class(t)
	less := b
	less.Items = b.Items[:4]
	_, err := pushBytes(t.Context(), from.Store, ocispec.MediaTypeImageIndex, encoded(t, less))
	check(t, err)
	short, long := from.file(t, less), from.file(t, b)
	start := bytes.Index(long, []byte(b.Items[0].Digest.Encoded()+"\x00")) // the header of the first item
	startShort := bytes.Index(short, []byte(b.Items[0].Digest.Encoded()+"\x00"))
	_, err = to.Import(t.Context(), bytes.NewReader(append(bytes.Clone(short[:startShort]), long[start:]...)), nil)
	if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "which no item before it names") {
		t.Errorf("%v", err)
	}
	if exists, err := to.Store.Exists(t.Context(), b.Items[4].manifest); exists || err != nil {
		t.Errorf("stored: %t, %v", exists, err)
	}
}

// TestRemove checks that a bundle is removed with what no other bundle needs.
func TestRemove(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	b := m.class(t)
	c := &collector{Bundles: m.Bundles, bundle: Bundle{Name: "other", Platform: platform}}
	check(t, c.add(t.Context(), Item{Kind: KindImage, Name: web, manifest: b.Items[3].manifest}))
	_, err := c.finish(t.Context())
	check(t, err)
	check(t, m.Remove(t.Context(), "class"))
	if err := m.Remove(t.Context(), "class"); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
	if _, err := m.Verify(t.Context(), "other"); err != nil {
		t.Errorf("the other bundle: %v", err)
	}
	if exists, err := m.Store.Exists(t.Context(), b.Items[4].manifest); exists || err != nil {
		t.Errorf("content of the removed bundle: %t, %v", exists, err)
	}
}

// TestStored checks that tools come from bundles if they have them.
func TestStored(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.class(t)
	next := func(context.Context, tools.Tool, tools.File, func(string)) ([]byte, error) {
		return []byte("next"), nil
	}
	for text, want := range map[string]string{"a tool": "a tool", "another": "next"} {
		f := tools.File{SHA256: descriptorOf(dataType, []byte(text)).Digest.Encoded()}
		if got, err := m.Stored(next)(t.Context(), tools.Tool{}, f, nil); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}

// TestNames checks that a bundle whose items do not have safe names is refused before anything is written: an import
// installs files under them, and lab runs those.
func TestNames(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "authorized_keys")
	for what, item := range map[string]Item{
		"path":            {Kind: KindProgram, Name: "../" + strings.Repeat("../", 12) + outside},
		"absolute path":   {Kind: KindProgram, Name: outside},
		"another program": {Kind: KindProgram, Name: "helm"},
		"path of a tool":  {Kind: KindTool, Name: "../kubectl"},
		"path of a chart": {Kind: KindChart, Name: `..\shop`},
		"image":           {Kind: KindImage, Name: "docker.io/../web"},
		"kind":            {Kind: "script", Name: "lab"},
		"version":         {Kind: KindTool, Name: "kubectl", Version: "v1\x1b[31m"},
		"source":          {Kind: KindChart, Name: "shop", Chart: &addons.Chart{Path: "/etc", Repository: "https://a.example"}},
	} {
		from, to := newMachine(t), newMachine(t)
		c := &collector{Bundles: from.Bundles, bundle: Bundle{Name: "class", Platform: platform}}
		check(t, c.artifact(t.Context(), item, []byte("a program")))
		b, err := c.finish(t.Context())
		check(t, err)
		_, err = to.Import(t.Context(), bytes.NewReader(from.file(t, b)), nil)
		if !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
		for _, path := range []string{to.Store.Dir(), to.Tools.Dir, outside} {
			if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("%s: %s was written: %v", what, path, err)
			}
		}
	}
}

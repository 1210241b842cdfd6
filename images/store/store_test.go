package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content/memory"
	"oras.land/oras-go/v2/content/oci"
	"oras.land/oras-go/v2/errdef"

	"github.com/clusterlab-dev/lab/images/store"
)

// plenty is a disk with a lot of free space.
func plenty(string) (int64, error) { return math.MaxInt64, nil }

// clock is a time that a test sets.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

func open(t *testing.T, opts store.Options) *store.Store {
	t.Helper()
	if opts.Free == nil {
		opts.Free = plenty
	}
	return store.Open(filepath.Join(t.TempDir(), "store"), opts)
}

func layer(text string) (ocispec.Descriptor, []byte) {
	return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageLayer, Digest: digest.FromString(text), Size: int64(len(text))}, []byte(text)
}

func push(t *testing.T, s *store.Store, text string) ocispec.Descriptor {
	t.Helper()
	d, data := layer(text)
	if err := s.Push(t.Context(), d, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	return d
}

// pushImage stores a manifest of the layers.
func pushImage(t *testing.T, s *store.Store, layers ...ocispec.Descriptor) ocispec.Descriptor {
	t.Helper()
	data, err := json.Marshal(ocispec.Manifest{MediaType: ocispec.MediaTypeImageManifest, Config: layers[0], Layers: layers[1:]})
	if err != nil {
		t.Fatal(err)
	}
	d := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(data), Size: int64(len(data))}
	if err := s.Push(t.Context(), d, bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	return d
}

func path(s *store.Store, d ocispec.Descriptor) string {
	return filepath.Join(s.Dir(), "blobs", "sha256", d.Digest.Encoded())
}

// read returns the content of d, or what could be read, and the error.
func read(t *testing.T, s *store.Store, d ocispec.Descriptor) (string, error) {
	t.Helper()
	r, err := s.Fetch(t.Context(), d)
	if err != nil {
		return "", err
	}
	defer func() { _ = r.Close() }()
	data, err := io.ReadAll(r)
	return string(data), err
}

// ingesting returns the number of files in ingest.
func ingesting(t *testing.T, s *store.Store) int {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(s.Dir(), "ingest"))
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestPush(t *testing.T) {
	s := open(t, store.Options{})
	if exists, err := s.Exists(t.Context(), mustLayer("a")); exists || err != nil {
		t.Fatalf("an empty store: %v, %v", exists, err)
	}
	d := push(t, s, "a")
	if got, err := read(t, s, d); got != "a" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if err := s.Push(t.Context(), d, strings.NewReader("a")); !errors.Is(err, errdef.ErrAlreadyExists) {
		t.Errorf("a second push: %v", err)
	}
	if n := ingesting(t, s); n != 0 {
		t.Errorf("%d files in ingest", n)
	}
}

func mustLayer(text string) ocispec.Descriptor { d, _ := layer(text); return d }

// TestPushRefusesOtherContent checks that only complete content with the right digest becomes visible.
func TestPushRefusesOtherContent(t *testing.T) {
	s := open(t, store.Options{})
	d, _ := layer("content")
	broken := errors.New("connection lost")
	for name, r := range map[string]io.Reader{
		"other":      strings.NewReader("CONTENT"),
		"truncated":  strings.NewReader("conten"),
		"longer":     strings.NewReader("content and more"),
		"empty":      strings.NewReader(""),
		"read error": io.MultiReader(strings.NewReader("content"), failing{broken}),
	} {
		if err := s.Push(t.Context(), d, r); err == nil {
			t.Errorf("%s: no error", name)
		}
		if exists, _ := s.Exists(t.Context(), d); exists {
			t.Fatalf("%s: stored", name)
		}
	}
	if n := ingesting(t, s); n != 0 {
		t.Errorf("%d files in ingest", n)
	}
	d.Digest = "sha256:../../../../etc/passwd"
	if err := s.Push(t.Context(), d, strings.NewReader("")); !errors.Is(err, errdef.ErrInvalidDigest) {
		t.Errorf("an invalid digest: %v", err)
	}
	d.Digest = digest.SHA512.FromString("content")
	if err := s.Push(t.Context(), d, strings.NewReader("content")); !errors.Is(err, errdef.ErrInvalidDigest) {
		t.Errorf("another algorithm: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestDamagedContentIsNeverComplete checks that reading a damaged blob fails before its last byte, and that
// the blob can be stored again.
func TestDamagedContentIsNeverComplete(t *testing.T) {
	for name, damaged := range map[string]string{"flipped": "contenT", "truncated": "cont", "empty": ""} {
		t.Run(name, func(t *testing.T) {
			s := open(t, store.Options{})
			d := push(t, s, "content")
			if err := os.WriteFile(path(s, d), []byte(damaged), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := read(t, s, d); err == nil || len(got) == len("content") {
				t.Errorf("read %q, %v", got, err)
			}
			push(t, s, "content")
		})
	}
}

// TestLayout checks that other programs can read the store, and that oras can copy to it.
func TestLayout(t *testing.T) {
	s := open(t, store.Options{})
	from := memory.New()
	root, err := oras.PackManifest(t.Context(), from, oras.PackManifestVersion1_1, "application/x", oras.PackManifestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := from.Tag(t.Context(), root, "v1"); err != nil {
		t.Fatal(err)
	}
	const ref = "docker.io/library/web:v1"
	if _, err := oras.Copy(t.Context(), from, "v1", s, ref, oras.DefaultCopyOptions); err != nil {
		t.Fatal(err)
	}
	other, err := oci.New(s.Dir())
	if err != nil {
		t.Fatal(err)
	}
	got, err := other.Resolve(t.Context(), ref)
	if err != nil || got.Digest != root.Digest {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestTags(t *testing.T) {
	s := open(t, store.Options{})
	a, b := push(t, s, "a"), push(t, s, "b")
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	if err := s.Tag(t.Context(), a, "docker.io/library/web:v1"); err != nil {
		t.Fatal(err)
	}
	if err := s.SetTag(t.Context(), store.Tag{Ref: "docker.io/library/web:v1", Descriptor: b, Checked: at}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Lookup(t.Context(), "docker.io/library/web:v1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(store.Tag{Ref: "docker.io/library/web:v1", Descriptor: b, Checked: at}, got); diff != "" {
		t.Error(diff)
	}
	if tags, err := s.Tags(t.Context()); err != nil || len(tags) != 1 {
		t.Errorf("%d tags, %v", len(tags), err)
	}
	if err := s.Tag(t.Context(), mustLayer("absent"), "x"); !errors.Is(err, errdef.ErrNotFound) {
		t.Errorf("a tag of absent content: %v", err)
	}
	if err := s.Untag(t.Context(), "docker.io/library/web:v1"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Resolve(t.Context(), "docker.io/library/web:v1"); !errors.Is(err, errdef.ErrNotFound) {
		t.Errorf("a removed tag: %v", err)
	}
}

// TestLimit checks the order of removal, and that pinned content stays.
func TestLimit(t *testing.T) {
	now := &clock{time.Now()}
	s := open(t, store.Options{Limit: 1000, Now: now.Now})
	first := push(t, s, strings.Repeat("1", 200))
	second := push(t, s, strings.Repeat("2", 200))
	image := pushImage(t, s, first)
	for i, d := range []ocispec.Descriptor{first, image, second} {
		old := now.now.Add(time.Duration(i-10) * time.Hour)
		if err := os.Chtimes(path(s, d), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Pin(t.Context(), "class", image); err != nil {
		t.Fatal(err)
	}
	if err := s.Tag(t.Context(), second, "two"); err != nil { // uses it, but less recently than the others
		t.Fatal(err)
	}
	push(t, s, strings.Repeat("3", 300))
	now.now = now.now.Add(time.Hour)
	last := push(t, s, strings.Repeat("4", 300))
	for what, c := range map[string]struct {
		d    ocispec.Descriptor
		want bool
	}{"first": {first, true}, "image": {image, true}, "second": {second, false}, "last": {last, true}} {
		if got, _ := s.Exists(t.Context(), c.d); got != c.want {
			t.Errorf("%s: stored: %v, want %v", what, got, c.want)
		}
	}
	if tags, err := s.Tags(t.Context()); err != nil || len(tags) != 0 {
		t.Errorf("the tag of removed content is still there: %v, %v", tags, err)
	}
	d, data := layer(strings.Repeat("5", 900))
	if err := s.Push(t.Context(), d, bytes.NewReader(data)); !errors.Is(err, store.ErrFull) {
		t.Errorf("more than fits beside the pinned content: %v", err)
	}
}

func TestReserve(t *testing.T) {
	left := int64(store.DefaultReserve + 10)
	s := open(t, store.Options{Free: func(string) (int64, error) { return left, nil }})
	push(t, s, "ten bytes!")
	d, data := layer("eleven bytes")
	if err := s.Push(t.Context(), d, bytes.NewReader(data)); !errors.Is(err, store.ErrFull) {
		t.Errorf("less than the reserve would be left: %v", err)
	}
	left = store.DefaultReserve - 1
	_, err := s.Through(t.Context(), d.Digest, func(context.Context) (io.ReadCloser, int64, error) {
		t.Error("the origin was asked")
		return nil, 0, io.EOF
	})
	if !errors.Is(err, store.ErrFull) {
		t.Errorf("through: %v", err)
	}
}

// TestPublic checks that content is public only in the repository for which it was marked, and only while it is stored.
func TestPublic(t *testing.T) {
	s := open(t, store.Options{})
	d := push(t, s, "public")
	if err := s.SetPublic("docker.io/library/web", d.Digest); err != nil {
		t.Fatal(err)
	}
	if !s.IsPublic("docker.io/library/web", d.Digest) || s.IsPublic("docker.io/acme/web", d.Digest) {
		t.Error("not public in exactly one repository")
	}
	if err := s.SetPublic("docker.io/library/web", "sha256:../../index.json"); !errors.Is(err, errdef.ErrInvalidDigest) {
		t.Errorf("invalid digest: %v", err)
	}
	if _, err := s.Prune(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if push(t, s, "public"); s.IsPublic("docker.io/library/web", d.Digest) {
		t.Error("public after it was removed and pushed again")
	}
}

func TestPrune(t *testing.T) {
	s := open(t, store.Options{})
	if _, err := s.Prune(t.Context(), 0); err != nil {
		t.Fatalf("an empty store: %v", err)
	}
	child := push(t, s, "child")
	image := pushImage(t, s, child)
	push(t, s, "other")
	if err := s.Pin(t.Context(), "class", image); err != nil {
		t.Fatal(err)
	}
	leftover := filepath.Join(s.Dir(), "ingest", "killed")
	if err := os.WriteFile(leftover, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	removed, err := s.Prune(t.Context(), 0)
	if diff := cmp.Diff(store.Usage{Blobs: 1, Bytes: 5}, removed); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
	if n := ingesting(t, s); n != 0 {
		t.Errorf("%d files in ingest", n)
	}
	if err := s.Unpin(t.Context(), "class"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prune(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if u, err := s.Usage(t.Context()); err != nil || u != (store.Usage{}) {
		t.Errorf("got %+v, %v", u, err)
	}
}

// TestPinBeforePush checks that an import can pin its root first, and is told what is missing.
func TestPinBeforePush(t *testing.T) {
	from := open(t, store.Options{})
	child := push(t, from, "child")
	image := pushImage(t, from, child)
	s := open(t, store.Options{})
	if err := s.Pin(t.Context(), "class", image); err != nil {
		t.Fatal(err)
	}
	for _, next := range []ocispec.Descriptor{image, child} {
		missing, err := s.Missing(t.Context(), image)
		if diff := cmp.Diff([]digest.Digest{next.Digest}, digests(missing)); err != nil || diff != "" {
			t.Fatalf("%v, %s", err, diff)
		}
		text, err := read(t, from, next)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Push(t.Context(), next, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Prune(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	if missing, err := s.Missing(t.Context(), image); err != nil || len(missing) > 0 {
		t.Errorf("missing: %v, %v", missing, err)
	}
}

func digests(all []ocispec.Descriptor) (out []digest.Digest) {
	for _, d := range all {
		out = append(out, d.Digest)
	}
	return out
}

func TestVerify(t *testing.T) {
	s := open(t, store.Options{})
	a, b := push(t, s, "a"), push(t, s, "b")
	image := pushImage(t, s, a, b)
	if err := os.WriteFile(path(s, b), []byte("B"), 0o600); err != nil {
		t.Fatal(err)
	}
	var bad []digest.Digest
	err := s.Verify(t.Context(), image, func(d ocispec.Descriptor, err error) {
		if err != nil {
			bad = append(bad, d.Digest)
		}
	})
	if diff := cmp.Diff([]digest.Digest{b.Digest}, bad); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
}

func TestDamagedIndex(t *testing.T) {
	s := open(t, store.Options{})
	d := push(t, s, "a")
	if err := os.WriteFile(filepath.Join(s.Dir(), "index.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Tag(t.Context(), d, "x"); err == nil || !strings.Contains(fmt.Sprint(err), "index.json") {
		t.Errorf("got %v", err)
	}
	if removed, err := s.Prune(t.Context(), 0); err == nil || removed.Blobs != 0 {
		t.Errorf("removed %+v although pins cannot be read: %v", removed, err)
	}
}

package store_test

import (
	"errors"
	"os"
	"testing"
	"time"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/clusterlab-dev/lab/images/store"
)

// TestTruncated checks that a blob that lost its end counts as missing, and can be stored again.
func TestTruncated(t *testing.T) {
	s := open(t, store.Options{})
	d := push(t, s, "content")
	image := pushImage(t, s, d)
	if err := os.WriteFile(path(s, d), []byte("cont"), 0o600); err != nil {
		t.Fatal(err)
	}
	if exists, err := s.Exists(t.Context(), d); exists || err != nil {
		t.Errorf("it is stored: %v, %v", exists, err)
	}
	if missing, err := s.Missing(t.Context(), image); err != nil || len(missing) != 1 {
		t.Errorf("missing: %v, %v", missing, err)
	}
	push(t, s, "content")
	if got, err := read(t, s, d); got != "content" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestBadManifest checks that a pinned manifest that is not JSON stays, and does not stop the removal of other content.
func TestBadManifest(t *testing.T) {
	s := open(t, store.Options{})
	bad := push(t, s, "not JSON")
	bad.MediaType = ocispec.MediaTypeImageManifest
	other := push(t, s, "other")
	if err := s.Pin(t.Context(), "bad", bad); err != nil {
		t.Fatal(err)
	}
	if u, err := s.Usage(t.Context()); err != nil || u.Pinned != bad.Size {
		t.Errorf("usage: %+v, %v", u, err)
	}
	if removed, err := s.Prune(t.Context(), 0); err != nil || removed.Bytes != other.Size {
		t.Errorf("removed: %+v, %v", removed, err)
	}
	if _, err := s.Missing(t.Context(), bad); err == nil {
		t.Error("nothing is missing from a manifest that is not JSON")
	}
	if err := s.Drop(t.Context(), "bad"); err != nil {
		t.Error(err)
	}
	if exists, err := s.Exists(t.Context(), bad); exists || err != nil {
		t.Errorf("after its removal: %v, %v", exists, err)
	}
}

// TestDrop checks that the removal of a pin removes what only the pin reached: not what another pin or the tag of a
// registry reaches, and not what nothing reaches.
func TestDrop(t *testing.T) {
	s := open(t, store.Options{})
	only, shared, cached, loose := push(t, s, "only"), push(t, s, "shared"), push(t, s, "cached"), push(t, s, "loose")
	one, two, tagged := pushImage(t, s, only, shared, cached), pushImage(t, s, shared), pushImage(t, s, cached)
	for name, d := range map[string]ocispec.Descriptor{"one": one, "two": two} {
		if err := s.Pin(t.Context(), name, d); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.SetTag(t.Context(), store.Tag{Ref: "web", Descriptor: tagged, Checked: time.Now()}), s.Tag(t.Context(), one, "one")); err != nil {
		t.Fatal(err)
	}
	if err := s.Drop(t.Context(), "one", "none"); err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		d    ocispec.Descriptor
		want bool
	}{"one": {one, false}, "only": {only, false}, "shared": {shared, true}, "two": {two, true}, "cached": {cached, true}, "tagged": {tagged, true}, "loose": {loose, true}} {
		if got, err := s.Exists(t.Context(), c.d); got != c.want || err != nil {
			t.Errorf("%s: stored: %v, want %v (%v)", what, got, c.want, err)
		}
	}
	tags, err := s.Tags(t.Context())
	if err != nil || len(tags) != 1 || tags[0].Ref != "web" {
		t.Errorf("tags: %v, %v", tags, err)
	}
}

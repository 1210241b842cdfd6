package store_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"github.com/clusterlab-dev/lab/images/store"
)

// pipe is an origin whose bytes the test writes, and that counts its fetches.
type pipe struct {
	*io.PipeWriter
	r       *io.PipeReader
	size    int64
	fetches atomic.Int32
	ctx     context.Context // of the last fetch
}

func newPipe(size int64) *pipe {
	r, w := io.Pipe()
	return &pipe{PipeWriter: w, r: r, size: size}
}

func (p *pipe) origin(ctx context.Context) (io.ReadCloser, int64, error) {
	p.fetches.Add(1)
	p.ctx = ctx
	return p.r, p.size, nil
}

func (p *pipe) send(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(p, text); err != nil {
		t.Fatal(err)
	}
}

// TestFollowers checks that all readers share one fetch, and read what has arrived except its last byte.
func TestFollowers(t *testing.T) {
	s := open(t, store.Options{})
	d, _ := layer("content")
	p := newPipe(d.Size)
	first, err := s.Through(t.Context(), d.Digest, p.origin)
	if err != nil {
		t.Fatal(err)
	}
	p.send(t, "cont")
	buffer := make([]byte, 3)
	if _, err := io.ReadFull(first, buffer); err != nil || string(buffer) != "con" {
		t.Fatalf("the first reader: %q, %v", buffer, err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			follower, err := s.Through(t.Context(), d.Digest, p.origin)
			if err != nil {
				t.Error(err)
				return
			}
			if err := iotest.TestReader(follower, []byte("content")); err != nil {
				t.Error(err)
			}
			if err := follower.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	p.send(t, "ent")
	_ = p.Close()
	rest, err := io.ReadAll(first)
	if err != nil || string(rest) != "tent" {
		t.Errorf("the first reader: %q, %v", rest, err)
	}
	wait.Wait()
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if n := p.fetches.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
	if got, err := read(t, s, d); got != "content" || err != nil {
		t.Errorf("stored: %q, %v", got, err)
	}
}

// TestThroughNeverCompletesOtherContent checks that no reader gets all bytes of content with another digest.
func TestThroughNeverCompletesOtherContent(t *testing.T) {
	d, _ := layer("content")
	for name, test := range map[string]struct {
		text string
		size int64
	}{
		"other":                {"CONTENT", 7},
		"other, size unknown":  {"CONTENT", -1},
		"longer":               {"content and more", 16},
		"longer than its size": {"content and more", 7},
		"truncated":            {"cont", 7},
		"truncated, unknown":   {"cont", -1},
		"empty":                {"", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, store.Options{})
			origin := func(context.Context) (io.ReadCloser, int64, error) {
				return io.NopCloser(iotest.OneByteReader(strings.NewReader(test.text))), test.size, nil
			}
			blob, err := s.Through(t.Context(), d.Digest, origin)
			if err == nil {
				var got []byte
				got, err = io.ReadAll(blob)
				if int64(len(got)) >= blob.Size() {
					t.Errorf("read all %d bytes: %q", blob.Size(), got)
				}
				_ = blob.Close()
			}
			if err == nil {
				t.Error("no error")
			}
			if exists, _ := s.Exists(t.Context(), d); exists {
				t.Error("stored")
			}
			if n := ingesting(t, s); n != 0 {
				t.Errorf("%d files in ingest", n)
			}
		})
	}
}

func TestThroughSizeUnknown(t *testing.T) {
	s := open(t, store.Options{})
	for _, text := range []string{"content", ""} {
		d, _ := layer(text)
		blob, err := s.Through(t.Context(), d.Digest, func(context.Context) (io.ReadCloser, int64, error) {
			return io.NopCloser(strings.NewReader(text)), -1, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(blob, []byte(text)); err != nil {
			t.Error(err)
		}
	}
}

// TestThroughSurvivesItsCaller checks that a fetch continues when its caller gives up, and that a failed
// fetch can be repeated.
func TestThroughSurvivesItsCaller(t *testing.T) {
	s := open(t, store.Options{})
	d, _ := layer("content")
	lost := errors.New("connection lost")
	if _, err := s.Through(t.Context(), d.Digest, func(context.Context) (io.ReadCloser, int64, error) { return nil, 0, lost }); !errors.Is(err, lost) {
		t.Fatalf("got %v", err)
	}
	p := newPipe(d.Size)
	ctx, cancel := context.WithCancel(t.Context())
	blob, err := s.Through(ctx, d.Digest, p.origin)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(blob); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := blob.Close(); err != nil {
		t.Error(err)
	}
	if p.ctx.Err() != nil {
		t.Error("the fetch was cancelled with its caller")
	}
	again, err := s.Through(t.Context(), d.Digest, p.origin)
	if err != nil {
		t.Fatal(err)
	}
	p.send(t, "content")
	_ = p.Close()
	if got, err := io.ReadAll(again); string(got) != "content" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if n := p.fetches.Load(); n != 1 {
		t.Errorf("%d fetches", n)
	}
	if exists, err := s.Exists(t.Context(), d); !exists || err != nil {
		t.Errorf("not stored: %v", err)
	}
}

package store

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/errdef"
)

// Origin fetches content, and returns its size in bytes, or -1 if the size is not known.
type Origin func(ctx context.Context) (body io.ReadCloser, size int64, err error)

// Through returns the content of a digest, from the store or else from its origin, which it stores. All callers
// that want the same content share one fetch, and read it while it arrives. The fetch continues if callers give up:
// they usually ask again. origin must end by itself if its body stalls. Errors: those of origin; ErrFull; while
// reading, an error if the content is not what the digest names.
//
// Through needs a system that renames open files, which Windows does not.
func (s *Store) Through(ctx context.Context, d digest.Digest, origin Origin) (*Blob, error) {
	f, blob, err := s.join(ctx, d, origin)
	if f == nil {
		return blob, err
	}
	select {
	case <-f.started:
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), f.Close())
	}
	size, err := f.awaitSize(ctx)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Blob{source: &follower{ctx: ctx, flight: f}, size: size}, nil
}

// join returns the blob if it is stored, else the fetch of it, which it starts if there is none.
func (s *Store) join(ctx context.Context, d digest.Digest, origin Origin) (*flight, *Blob, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.flights[d]; f != nil {
		f.enter()
		return f, nil, nil
	}
	blob, err := s.Open(ctx, d)
	if !errors.Is(err, errdef.ErrNotFound) {
		return nil, blob, err
	}
	f := &flight{digest: d, started: make(chan struct{}), changed: make(chan struct{}), users: 2} // the caller and fly
	s.flights[d] = f
	go s.fly(context.WithoutCancel(ctx), f, origin)
	return f, nil, nil
}

// fly fetches the content of a flight.
func (s *Store) fly(ctx context.Context, f *flight, origin Origin) {
	err := s.fetch(ctx, f, origin)
	s.mu.Lock()
	delete(s.flights, f.digest)
	s.mu.Unlock()
	f.land(err)
	_ = f.Close()
}

func (s *Store) fetch(ctx context.Context, f *flight, origin Origin) (err error) {
	if err := s.checkFree(0); err != nil { // before anything is transferred
		return err
	}
	body, size, err := origin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	if err := s.makeRoom(ctx, size); err != nil {
		return err
	}
	w, err := s.newWriter(ctx, f.digest, size)
	if err != nil {
		return err
	}
	f.start(w.file, size)
	if _, err := io.Copy(&reporting{w, f}, body); err != nil {
		return errors.Join(err, f.discard(w))
	}
	if err := w.publish(func() error { return nil }); err != nil {
		return errors.Join(err, f.discard(w))
	}
	f.arrived(w.written + 1) // with the last byte
	return w.unlock()
}

// reporting reports each write to a flight.
type reporting struct {
	*writer
	flight *flight
}

func (r *reporting) Write(p []byte) (int, error) {
	n, err := r.writer.Write(p)
	r.flight.arrived(r.written)
	return n, err
}

// flight is one fetch of content that several callers follow.
type flight struct {
	digest  digest.Digest
	started chan struct{} // closed when file and size are set, or when the fetch has failed

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when a field below changes
	file    *os.File
	size    int64
	ready   int64 // bytes that may be read: all that arrived but the last, until they are verified
	landed  bool
	err     error
	users   int // the last one closes the file
}

// enter adds a user.
func (f *flight) enter() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.users++
}

// Close removes a user.
func (f *flight) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.users--
	if f.users > 0 || f.file == nil {
		return nil
	}
	return f.file.Close()
}

func (f *flight) start(file *os.File, size int64) {
	f.mu.Lock()
	f.file, f.size = file, size
	f.mu.Unlock()
	close(f.started)
}

// discard removes the file of w. Followers may still read it, so the last of them closes it.
func (f *flight) discard(w *writer) error { return errors.Join(os.Remove(w.file.Name()), w.unlock()) }

// arrived records that n bytes arrived.
func (f *flight) arrived(n int64) { f.change(func() { f.ready = max(f.ready, n-1) }) }

// land records that the fetch ended.
func (f *flight) land(err error) {
	started := false
	f.change(func() {
		f.landed, f.err, started = true, err, f.file != nil
		if err == nil {
			f.size = f.ready
		}
	})
	if !started {
		close(f.started)
	}
}

func (f *flight) change(set func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	set()
	close(f.changed)
	f.changed = make(chan struct{})
}

// await waits until enough returns true, or until the fetch has ended. It returns the error of the fetch.
func (f *flight) await(ctx context.Context, enough func() bool) error {
	for {
		f.mu.Lock()
		changed, done, err := f.changed, f.landed, f.err
		ok := enough()
		f.mu.Unlock()
		switch {
		case ok:
			return nil
		case done:
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// awaitSize returns the size of the content. It waits for the end if the origin does not know the size, or if
// there is no last byte that could be held back.
func (f *flight) awaitSize(ctx context.Context) (size int64, err error) {
	err = f.await(ctx, func() bool {
		size = f.size
		return f.file != nil && size > 0
	})
	return size, err
}

// follower is a source that reads a flight.
type follower struct {
	ctx    context.Context // of the caller of Through, who also reads
	flight *flight
}

// ReadAt waits for at least one byte at offset.
func (f *follower) ReadAt(p []byte, offset int64) (int, error) {
	var ready int64
	err := f.flight.await(f.ctx, func() bool {
		ready = f.flight.ready
		return ready > offset
	})
	if err != nil {
		return 0, err
	}
	return f.flight.file.ReadAt(p[:min(int64(len(p)), ready-offset)], offset)
}

func (f *follower) Close() error { return f.flight.Close() }

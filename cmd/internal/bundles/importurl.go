package bundles

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// IsURL reports whether the source of an import is the address of a server.
func IsURL(source string) bool {
	return strings.HasPrefix(source, "http://") || strings.HasPrefix(source, "https://")
}

// ImportURL stores the bundle of a server of `lab bundle serve`, as Import does. The fragment of the address is the digest
// of the root, which authenticates everything: "http://HOST:PORT#sha256:…". An interrupted transfer is resumed. It
// returns ErrInvalid for an address without a digest, ErrForeign if the server delivers anything else, and
// ErrUnavailable if the server cannot be reached.
func (b *Bundles) ImportURL(ctx context.Context, address string, ca []byte, report event.Reporter) (Bundle, error) {
	s, root, err := b.server(address, ca)
	if err != nil {
		return Bundle{}, err
	}
	data, err := s.root(ctx, root)
	if err != nil {
		return Bundle{}, err
	}
	bundle, err := decode(data)
	if err != nil {
		return Bundle{}, err
	}
	if err := bundle.fits(b.Platform); err != nil {
		return Bundle{}, err
	}
	return b.importAs(ctx, bundle, data, report, func(b *Bundles, m *meter) error { return b.fetchAll(ctx, s, newExpected(bundle), m) })
}

// fetchAll stores all content of a bundle.
func (b *Bundles) fetchAll(ctx context.Context, s server, e *expected, m *meter) error {
	for {
		todo := e.todo()
		if len(todo) == 0 {
			return nil
		}
		for _, d := range todo {
			known, err := e.take(d)
			if err != nil {
				return err
			}
			body := &resumed{ctx: ctx, server: s, of: known}
			err = errors.Join(b.keep(ctx, e, known, m.reader(body)), body.Close())
			if body.failed != nil && ctx.Err() == nil {
				return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "cannot fetch %s: %w", e.describe(known.Digest), body.failed),
					"run the command again: what has arrived is kept")
			}
			if err != nil {
				return err
			}
			m.done = e.bytes
		}
	}
}

// server is a server of bundles.
type server struct {
	client download.Client
	base   string
}

// server returns the server of an address, and the digest of the root.
func (b *Bundles) server(address string, ca []byte) (server, digest.Digest, error) {
	base, fragment, _ := strings.Cut(address, "#")
	root := digest.Digest(fragment)
	if u, err := url.Parse(base); err != nil || u.Host == "" {
		return server{}, "", fault.Errorf(fault.ErrInvalid, "%s is not a URL", fault.Redact(address)) // base may be the beginning of a password with "#"
	}
	if err := root.Validate(); err != nil || root.Algorithm() != digest.SHA256 {
		err := fault.Errorf(fault.ErrInvalid, "the address of a bundle ends in the digest of its root: %s#sha256:…", fault.Redact(base))
		return server{}, "", fault.WithHint(err, "copy the whole line that lab bundle serve prints, in quotes")
	}
	client, err := b.Client(ca)
	return server{client, strings.TrimSuffix(base, "/")}, root, err
}

// blob returns where the content of a digest is.
func (s server) blob(d digest.Digest) string { return s.base + "/" + blobsDir + "/" + d.Encoded() }

func (s server) root(ctx context.Context, root digest.Digest) ([]byte, error) {
	data, err := s.client.Get(ctx, download.Request{URL: s.blob(root), Limit: maxManifest})
	if errors.Is(err, fault.ErrNotFound) {
		return nil, fault.Errorf(fault.ErrNotFound, "the server %s has no bundle with the root %s", fault.Redact(s.base), root)
	}
	if err == nil && digest.FromBytes(data) != root {
		err = damaged("the server does not have the root %s", root)
	}
	return data, err
}

// attempts is how often a transfer is resumed without progress.
const attempts = 5

// resumed reads content from a server. After an error it continues where it stopped.
type resumed struct {
	ctx    context.Context
	server server
	of     ocispec.Descriptor
	body   io.ReadCloser
	at     int64
	tries  int
	failed error // why it gave up
}

// Read implements [io.Reader].
func (r *resumed) Read(p []byte) (int, error) {
	for r.at < r.of.Size {
		n, err := r.read(p)
		if n > 0 {
			r.at += int64(n)
			r.tries = 0
			return n, nil
		}
		if err == nil {
			continue
		}
		_ = r.Close()
		r.body = nil
		if r.tries++; r.tries >= attempts || r.ctx.Err() != nil || errors.Is(err, errNotResumed) {
			r.failed = err
			return 0, err
		}
	}
	return 0, io.EOF
}

func (r *resumed) read(p []byte) (int, error) {
	if r.body == nil {
		body, err := r.server.open(r.ctx, r.of, r.at)
		if err != nil {
			return 0, err
		}
		r.body = body
	}
	n, err := r.body.Read(p)
	if n == 0 && errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Close implements [io.Closer].
func (r *resumed) Close() error {
	if r.body == nil {
		return nil
	}
	return r.body.Close()
}

var errNotResumed = errors.New("the server cannot resume the transfer")

// open returns content from an offset on.
func (s server) open(ctx context.Context, d ocispec.Descriptor, at int64) (body io.ReadCloser, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, s.blob(d.Digest), nil)
	if err != nil {
		return nil, err
	}
	want := http.StatusOK
	if at > 0 {
		q.Header.Set("Range", fmt.Sprintf("bytes=%d-", at))
		want = http.StatusPartialContent
	}
	answer, err := s.client.HTTP.Do(q)
	switch {
	case err != nil:
		return nil, err
	case answer.StatusCode == want:
		return answer.Body, nil
	case at > 0 && answer.StatusCode == http.StatusOK:
		err = errNotResumed
	default:
		err = fmt.Errorf("the server answers %s", answer.Status)
	}
	return nil, errors.Join(err, answer.Body.Close())
}

// todo returns the expected content that has not arrived yet.
func (e *expected) todo() (list []ocispec.Descriptor) {
	for d, known := range e.known {
		if !e.taken[d] {
			list = append(list, known)
		}
	}
	return list
}

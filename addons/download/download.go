// Package download gets files over HTTP: through the proxy that the environment names, by
// the authorities that the user trusts, and again where a server or the network failed for
// a moment. Whether what arrived is what was meant is for the caller to verify.
package download

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// grow bounds the memory, in bytes, that is allocated at once on a server's word.
const grow = 64 << 20

// Client asks HTTP servers. It is safe for concurrent use. See [New].
type Client struct {
	HTTP  *http.Client
	Pause time.Duration // after the first failure; twice as long after each further one
}

// Request is one thing to get.
type Request struct {
	URL    string                  // without a user name and a password: those are for Header
	Header http.Header             // may be nil
	Limit  int64                   // in bytes: more is refused
	Moved  func(arrived, of int64) // told as bytes arrive; of is -1 where unknown. May be nil
}

// Get returns what is at a URL. A download that broke off is resumed where the server can do
// that. Errors: ErrInvalid for an invalid URL, another scheme, more bytes than the limit and a
// redirect from https to http; ErrNotFound; [*StatusError], which is
// ErrUnavailable, for other answers; ErrUnavailable for all else, and ctx's. None of them
// contains the user name, the password or the query of a URL.
func (c Client) Get(ctx context.Context, q Request) ([]byte, error) {
	u, err := url.Parse(q.URL)
	if err != nil || u.Host == "" {
		return nil, fault.Errorf(fault.ErrInvalid, "%s is not a URL", fault.Redact(q.URL))
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fault.Errorf(fault.ErrInvalid, "%s: the scheme must be https or http", Shown(u))
	}
	d := fetch{client: c.HTTP, q: q}
	err = c.Retry(ctx, func() error { return d.once(ctx) })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Shown(u), err)
	}
	return d.body.Bytes(), nil
}

// Shown is a URL as people may see it: without what can be a secret, which are the user name,
// the password and the query.
func Shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

var errNotResumed = errors.New("the server cannot resume the download")

// fetch is one download, over all attempts at it.
type fetch struct {
	client *http.Client
	q      Request
	body   bytes.Buffer
	etag   string // of what is in body; "" where the server cannot resume it
}

// once makes one attempt. It asks for the rest where an earlier one got the beginning.
func (f *fetch) once(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.q.URL, nil)
	if err != nil {
		return err
	}
	for key, values := range f.q.Header {
		r.Header[key] = values
	}
	if f.etag == "" {
		f.body.Reset()
	}
	at := f.body.Len()
	if at > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", at))
		r.Header.Set("If-Range", f.etag)
	}
	resp, err := f.client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	rest := resp.StatusCode == http.StatusPartialContent && strings.HasPrefix(resp.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-", at))
	if !rest {
		f.body.Reset()
		f.etag = ""
	}
	switch {
	case at > 0 && !rest && (resp.StatusCode == http.StatusPartialContent || resp.StatusCode == http.StatusRequestedRangeNotSatisfiable):
		return errNotResumed
	case resp.StatusCode >= 300:
		return statusOf(resp)
	}
	// A weak one, W/"…", is of what means the same and need not be the same.
	if tag := resp.Header.Get("ETag"); !resp.Uncompressed && strings.HasPrefix(tag, `"`) {
		f.etag = tag
	}
	return f.read(resp)
}

func (f *fetch) read(resp *http.Response) error {
	at, of := int64(f.body.Len()), resp.ContentLength
	if of >= 0 {
		of += at
	}
	f.body.Grow(int(max(0, min(resp.ContentLength, f.q.Limit, grow))))
	_, err := f.body.ReadFrom(io.LimitReader(&counter{resp.Body, at, of, f.q.Moved}, f.q.Limit-at+1))
	if int64(f.body.Len()) > f.q.Limit {
		return fault.Errorf(fault.ErrInvalid, "it is larger than %s", event.Size(f.q.Limit))
	}
	return err
}

// counter tells how much of something has been read.
type counter struct {
	from  io.Reader
	n, of int64
	moved func(arrived, of int64)
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	if c.moved != nil {
		c.moved(c.n, c.of)
	}
	return n, err
}

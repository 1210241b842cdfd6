// Package download gets files over HTTP: through the proxy that the environment names, by
// the authorities that the user trusts, and again where a server or the network failed for
// a moment. Whether what arrived is what was meant is for the caller to verify.
package download

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

const (
	attempts   = 5
	firstPause = 500 * time.Millisecond
	longest    = 30 * time.Second // that a server's Retry-After is heeded
	grow       = 64 << 20         // what is set aside at once on a server's word that it will come
)

// Client asks HTTP servers. It is safe for concurrent use.
type Client struct {
	HTTP  *http.Client
	Pause time.Duration // after the first failure; twice as long after each further one
}

// New returns a client that trusts the authorities in caFile, which is PEM, beside those of
// the system; "" is for none. It returns ErrInvalid where that file cannot be used.
func New(caFile string) (Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone() // with ProxyFromEnvironment
	if caFile != "" {
		pool, err := authorities(caFile)
		if err != nil {
			return Client{}, err
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return Client{HTTP: &http.Client{Transport: transport}, Pause: firstPause}, nil
}

func authorities(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, providers.Errorf(providers.ErrInvalid, "the certificates of --ca-file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, providers.Errorf(providers.ErrInvalid, "there is no certificate in %s", file)
	}
	return pool, nil
}

// Request is one thing to get.
type Request struct {
	URL    string
	Header http.Header             // may be nil
	Limit  int64                   // in bytes: more is refused
	Moved  func(arrived, of int64) // told as bytes arrive; of is -1 where unknown. May be nil
}

// Get returns what is at a URL, and the answer that it came with, which may be one of status
// 401. Errors: ErrInvalid for a URL that is none and for more than the limit, ErrNotFound,
// ErrUnavailable for all else, and ctx's.
func (c Client) Get(ctx context.Context, q Request) ([]byte, *http.Response, error) {
	pause := c.Pause
	for attempt := 1; ; attempt++ {
		body, resp, err := c.once(ctx, q)
		wait, again := retry(resp, err, pause)
		if !again || attempt == attempts || ctx.Err() != nil {
			return body, resp, refused(ctx, q.URL, resp, err)
		}
		pause *= 2
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil, nil, ctx.Err()
		case <-timer.C:
		}
	}
}

func (c Client) once(ctx context.Context, q Request) ([]byte, *http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, q.URL, nil)
	if err != nil {
		return nil, nil, providers.Errorf(providers.ErrInvalid, "%w", err)
	}
	for key, values := range q.Header {
		r.Header[key] = values
	}
	r.Header.Set("User-Agent", "lab")
	resp, err := c.HTTP.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	var body bytes.Buffer
	body.Grow(int(max(0, min(resp.ContentLength, q.Limit, grow))))
	_, err = body.ReadFrom(io.LimitReader(&counter{resp.Body, 0, resp.ContentLength, q.Moved}, q.Limit+1))
	if err == nil && int64(body.Len()) > q.Limit {
		err = providers.Errorf(providers.ErrInvalid, "%s has more than %d MiB", q.URL, q.Limit>>20)
	}
	return body.Bytes(), resp, err
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

// refused says why an answer is not what was asked for; nil where it is.
func refused(ctx context.Context, url string, resp *http.Response, err error) error {
	var certificate *tls.CertificateVerificationError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &certificate):
		err := providers.Errorf(providers.ErrUnavailable, "%w", err)
		return providers.WithHint(err, "if your network has an authority of its own: --ca-file FILE")
	case errors.Is(err, providers.ErrInvalid):
		return err
	case err != nil:
		err := providers.Errorf(providers.ErrUnavailable, "%w", err)
		return providers.WithHint(err, "look at the network; behind a proxy: export HTTPS_PROXY=URL")
	case resp.StatusCode == http.StatusNotFound:
		return providers.Errorf(providers.ErrNotFound, "%s: %s", url, resp.Status)
	case resp.StatusCode >= 300 && resp.StatusCode != http.StatusUnauthorized:
		err := providers.Errorf(providers.ErrUnavailable, "%s: %s", url, resp.Status)
		return providers.WithHint(err, "try again later")
	}
	return nil
}

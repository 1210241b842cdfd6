package charts

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers"
)

const (
	attempts   = 5
	firstPause = 500 * time.Millisecond
	longest    = 30 * time.Second // that a server's Retry-After is heeded
	maxIndex   = 100 << 20        // the index of a large repository has tens of megabytes
)

// puller asks registries and repositories.
type puller struct {
	client *http.Client
	pause  time.Duration // after the first failure; twice as long after each further one
	tokens map[string]string
}

// puller returns one that goes through the proxy that the environment names, and trusts
// the authorities of opts.
func (s *Store) puller() (*puller, error) {
	if s.opts.Client != nil {
		return &puller{client: s.opts.Client, pause: firstPause / 50, tokens: map[string]string{}}, nil
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() // with ProxyFromEnvironment
	if s.opts.CAFile != "" {
		pool, err := authorities(s.opts.CAFile)
		if err != nil {
			return nil, err
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &puller{client: &http.Client{Transport: transport}, pause: firstPause, tokens: map[string]string{}}, nil
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

// pull returns the archive of a chart.
func (p *puller) pull(ctx context.Context, c addons.Chart) ([]byte, error) {
	if c.OCI != "" {
		return p.fromRegistry(ctx, c)
	}
	return p.fromRepository(ctx, c)
}

// get asks for one URL and returns what is there. header may be nil.
func (p *puller) get(ctx context.Context, url string, header http.Header, limit int64) ([]byte, *http.Response, error) {
	pause := p.pause
	for attempt := 1; ; attempt++ {
		body, resp, err := p.once(ctx, url, header, limit)
		wait, again := retry(resp, err, pause)
		if !again || attempt == attempts || ctx.Err() != nil {
			return body, resp, refused(ctx, url, resp, err)
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

func (p *puller) once(ctx context.Context, url string, header http.Header, limit int64) ([]byte, *http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, nil, providers.Errorf(providers.ErrInvalid, "%w", err)
	}
	for key, values := range header {
		r.Header[key] = values
	}
	r.Header.Set("User-Agent", "lab")
	resp, err := p.client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = providers.Errorf(providers.ErrInvalid, "%s has more than %d MiB", url, limit>>20)
	}
	return body, resp, err
}

// retry tells whether another attempt may help, and when.
func retry(resp *http.Response, err error, pause time.Duration) (wait time.Duration, again bool) {
	if err != nil {
		var certificate *tls.CertificateVerificationError
		return pause, !errors.As(err, &certificate) && !errors.Is(err, providers.ErrInvalid)
	}
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode < 500 {
		return 0, false
	}
	return max(pause, min(retryAfter(resp.Header.Get("Retry-After"), time.Now()), longest)), true
}

// retryAfter reads the header, which is a number of seconds or a date.
func retryAfter(s string, now time.Time) time.Duration {
	if seconds, err := time.ParseDuration(s + "s"); err == nil {
		return seconds
	}
	if date, err := http.ParseTime(s); err == nil {
		return date.Sub(now)
	}
	return 0
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

// verify returns an error where data is not what a digest says.
func verify(data []byte, want string) error {
	if got := digest(data); want != "" && got != want {
		return fmt.Errorf("it arrived damaged: its digest is %s, not %s", got, want)
	}
	return nil
}

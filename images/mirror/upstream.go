package mirror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/clusterlab-dev/lab/images/store"
)

var (
	// errRefused is the error of content that does not exist, or that requires authentication.
	errRefused = errors.New("it is not public, or does not exist")
	// errUnavailable is the error of a registry that does not answer, or that answers with a temporary error.
	errUnavailable = errors.New("the registry does not answer")
)

// upstream is a registry.
type upstream struct {
	name   string
	base   *url.URL // its path is the beginning of all repositories
	client *auth.Client
	opts   Options
	count  func(registry string, add Stats)
	breaker
}

func newUpstream(name, address string, opts Options, count func(string, Stats)) (*upstream, error) {
	base, err := url.Parse(address)
	if err != nil || base.Host == "" || base.User != nil || base.Scheme != "https" && base.Scheme != "http" {
		return nil, fmt.Errorf("registry %s: its address must be a URL without a user", name)
	}
	guarded := &guard{next: opts.Transport}
	if base.Scheme == "http" {
		guarded.plain = base.Host
	}
	// Without credentials, the client gets the tokens for anonymous access.
	client := &auth.Client{Client: &http.Client{Transport: guarded}, Cache: auth.NewCache()}
	client.SetUserAgent("lab-cache")
	return &upstream{name: name, base: base, client: client, opts: opts, count: count}, nil
}

// transport returns a transport that gives up quickly. It does not ask for compressed answers, whose bytes would
// not match the digest.
func transport() http.RoundTripper {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
		TLSHandshakeTimeout: 3 * time.Second,
		IdleConnTimeout:     time.Minute,
		MaxIdleConnsPerHost: 8,
		ForceAttemptHTTP2:   true,
		DisableCompression:  true,
	}
}

// guard refuses requests without TLS, also those that redirects and challenges of registries ask for.
type guard struct {
	next  http.RoundTripper
	plain string // the host that is configured without TLS
}

func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" && r.URL.Host != g.plain {
		return nil, fmt.Errorf("it redirects to %s, which is not encrypted", r.URL.Host)
	}
	return g.next.RoundTrip(r)
}

// origin returns the content of a query from the registry.
func (u *upstream) origin(q query) store.Origin {
	return func(ctx context.Context) (io.ReadCloser, int64, error) {
		answer, err := u.ask(ctx, http.MethodGet, q)
		if err != nil {
			return nil, 0, err
		}
		if q.kind == manifests && answer.ContentLength > maxManifest {
			return nil, 0, errors.Join(fmt.Errorf("its manifest has %d bytes", answer.ContentLength), answer.Body.Close())
		}
		return answer.Body, answer.ContentLength, nil
	}
}

// resolve returns what a tag refers to.
func (u *upstream) resolve(ctx context.Context, q query) (digest.Digest, error) {
	answer, err := u.ask(ctx, http.MethodHead, q)
	if err != nil {
		return "", err
	}
	_ = answer.Body.Close()
	if d := digest.Digest(answer.Header.Get("Docker-Content-Digest")); d.Validate() == nil {
		return d, nil
	}
	answer, err = u.ask(ctx, http.MethodGet, q) // a registry that does not say
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }()
	d, err := digest.FromReader(io.LimitReader(answer.Body, maxManifest))
	if err != nil {
		return "", fmt.Errorf("%w: %w", errUnavailable, err)
	}
	return d, nil
}

// offers returns nil if the registry would send the content of a query. Errors: those of ask.
func (u *upstream) offers(ctx context.Context, q query) error {
	answer, err := u.ask(ctx, http.MethodHead, q)
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// ask sends a request to the registry. Errors: errRefused, errUnavailable.
func (u *upstream) ask(ctx context.Context, method string, q query) (*http.Response, error) {
	if !u.allows(u.opts.Now()) {
		return nil, fmt.Errorf("%w: %s failed a moment ago", errUnavailable, u.name)
	}
	u.count(u.name, Stats{Asked: 1})
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(u.opts.Headers, cancel)
	answer, err := u.send(ctx, method, q)
	if !timer.Stop() && err != nil {
		err = fmt.Errorf("%w within %s", errUnavailable, u.opts.Headers)
	}
	if err == nil && answer.StatusCode != http.StatusOK {
		err = statusError(answer.StatusCode)
		_ = answer.Body.Close()
	}
	u.record(u.opts.Now(), !errors.Is(err, errUnavailable))
	if err != nil {
		cancel()
		return nil, fmt.Errorf("%s: %w", u.name, err)
	}
	answer.Body = &body{ReadCloser: answer.Body, cancel: cancel, stall: u.opts.Stall, count: func(n int) { u.count(u.name, Stats{Bytes: int64(n)}) }}
	return answer, nil
}

func (u *upstream) send(ctx context.Context, method string, q query) (*http.Response, error) {
	repository := strings.TrimPrefix(u.base.Path+"/"+q.repository(), "/")
	target := url.URL{Scheme: u.base.Scheme, Host: u.base.Host, Path: "/v2/" + repository + "/" + q.kind + "/" + q.reference()}
	ctx = auth.WithScopesForHost(ctx, u.base.Host, auth.ScopeRepository(repository, auth.ActionPull))
	r, err := http.NewRequestWithContext(ctx, method, target.String(), nil)
	if err != nil {
		return nil, err
	}
	if q.kind == manifests {
		r.Header["Accept"] = accepted()
	}
	answer, err := u.client.Do(r)
	refused, _ := errors.AsType[*errcode.ErrorResponse](err)
	switch {
	case err == nil:
		return answer, nil
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		return nil, errRefused
	case refused != nil: // by the server of tokens
		return nil, statusError(refused.StatusCode)
	}
	return nil, fmt.Errorf("%w: %w", errUnavailable, err)
}

// accepted returns the media types of manifests that the handler passes on.
func accepted() []string {
	return []string{
		"application/vnd.oci.image.index.v1+json",
		"application/vnd.oci.image.manifest.v1+json",
		"application/vnd.docker.distribution.manifest.list.v2+json",
		"application/vnd.docker.distribution.manifest.v2+json",
	}
}

// statusError returns the error of an answer that has no content.
func statusError(status int) error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		return fmt.Errorf("%w (%d)", errRefused, status)
	}
	return fmt.Errorf("%w: %d %s", errUnavailable, status, http.StatusText(status))
}

// body is the body of an answer that ends if nothing arrives for a while.
type body struct {
	io.ReadCloser
	cancel context.CancelFunc
	stall  time.Duration
	count  func(n int)
}

func (b *body) Read(p []byte) (int, error) {
	timer := time.AfterFunc(b.stall, b.cancel)
	defer timer.Stop()
	n, err := b.ReadCloser.Read(p)
	b.count(n)
	return n, err
}

func (b *body) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}

const (
	// tolerated is the number of consecutive failures after which a registry is not asked for a while.
	tolerated = 2
	// pause is the time until such a registry is asked again.
	pause = 30 * time.Second
)

// breaker stops asking a registry that fails. A kubelet waits a minute for an image: a registry that hangs must
// not use up that time with every layer.
type breaker struct {
	mu       sync.Mutex
	failures int
	until    time.Time
}

func (b *breaker) allows(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !now.Before(b.until) || b.until.Sub(now) > pause // the clock was set back
}

func (b *breaker) record(now time.Time, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ok {
		b.failures, b.until = 0, time.Time{}
		return
	}
	b.failures++
	if b.failures >= tolerated {
		b.until = now.Add(pause)
	}
}

package download

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	attempts   = 5
	firstPause = 500 * time.Millisecond
	longest    = 30 * time.Second // that a server's Retry-After is heeded
)

// StatusError is an unsuccessful answer of a server or proxy.
type StatusError struct {
	Status string // "403 Forbidden"
	Code   int
	wait   time.Duration // that the server wants to be left alone
	proxy  bool          // who answers
}

func statusOf(resp *http.Response) *StatusError {
	return &StatusError{Status: resp.Status, Code: resp.StatusCode, wait: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
}

// connected is the answer of a proxy to CONNECT.
func connected(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	err := statusOf(resp)
	err.proxy = true
	return err
}

// Error returns the status.
func (e *StatusError) Error() string {
	if e.proxy || e.Code == http.StatusProxyAuthRequired {
		return "the proxy answers " + e.Status
	}
	return "the server answers " + e.Status
}

// Unwrap returns the kind of the error.
func (e *StatusError) Unwrap() error {
	if !e.proxy && (e.Code == http.StatusNotFound || e.Code == http.StatusGone) {
		return fault.ErrNotFound
	}
	return fault.ErrUnavailable
}

// mayPass reports whether the next attempt may get another status.
func mayPass(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500 && status != http.StatusNotImplemented
}

// Retry calls do, which asks a server by way of c.HTTP, until it succeeds, fails for good, or
// has failed five times. Its errors are those of do, with a kind and a hint, and ctx's.
func (c Client) Retry(ctx context.Context, do func() error) error {
	pause := c.Pause
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil {
			return nil
		}
		wait, again := retry(err, pause)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !again || attempt == attempts {
			return explained(err)
		}
		pause *= 2
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// retry reports whether another attempt may succeed, and how long to wait before it.
func retry(err error, pause time.Duration) (wait time.Duration, again bool) {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return max(pause, min(status.wait, longest)), mayPass(status.Code)
	}
	return pause, errors.Is(err, errStalled) || !lasting(err)
}

// lasting reports whether every attempt would end with this error.
func lasting(err error) bool {
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, alert := errors.AsType[tls.AlertError](err)
	_, record := errors.AsType[tls.RecordHeaderError](err)
	dns, _ := errors.AsType[*net.DNSError](err)
	return certificate || alert || record || dns != nil && dns.IsNotFound || errors.Is(err, http.ErrSchemeMismatch) || errors.Is(err, syscall.ECONNREFUSED) ||
		errors.Is(err, fault.ErrInvalid) || errors.Is(err, fault.ErrNotFound) || errors.Is(err, fault.ErrUnavailable)
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

// explained gives an error a kind and a hint, and removes the URL, which may contain a
// secret. The caller names it.
func explained(err error) error {
	if at, ok := errors.AsType[*url.Error](err); ok {
		err = at.Err
	}
	_, certificate := errors.AsType[*tls.CertificateVerificationError](err)
	status, _ := errors.AsType[*StatusError](err)
	switch {
	case certificate:
		return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "%w", err), "if your network uses its own certificate authority: --ca-file FILE")
	case status != nil && status.Code == http.StatusProxyAuthRequired:
		return fault.WithHint(err, "set the credentials of the proxy: export HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT")
	case status != nil && mayPass(status.Code):
		return fault.WithHint(err, "try again later")
	case status != nil, errors.Is(err, fault.ErrInvalid), errors.Is(err, fault.ErrNotFound), fault.HintOf(err) != "":
		return err
	case errors.Is(err, http.ErrSchemeMismatch):
		return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "%w", err), "the server speaks http, not https: correct the URL")
	case strings.Contains(err.Error(), "Location header"):
		return fault.Errorf(fault.ErrUnavailable, "the server redirects to an invalid URL")
	}
	return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "%w", hidden(err)), "check the network; behind a proxy: export HTTPS_PROXY=URL")
}

// hidden returns err with each URL in its text redacted.
func hidden(err error) error {
	text := err.Error()
	if redacted := fault.Redact(text); redacted != text {
		return fmt.Errorf("%s", redacted)
	}
	return err
}

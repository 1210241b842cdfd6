package download

import (
	"crypto/tls"
	"errors"
	"net/http"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

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

package download

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	stall        = 30 * time.Second // that a server may send nothing
	maxRedirects = 10               // as net/http has it
)

// Options configure a [Client].
type Options struct {
	CA       []byte        // certificates (PEM) that are trusted in addition to the system's
	CAFiles  []string      // PEM files of authorities that are trusted in addition to the system's; "" is skipped
	CertFile string        // PEM of a certificate to show to servers, with KeyFile
	KeyFile  string        //
	Insecure bool          // take any certificate
	Pause    time.Duration // after the first failure; 0 for half a second
	Stall    time.Duration // without a byte until a download counts as failed; 0 for 30 seconds
}

// New returns a client. It returns ErrInvalid where a file of the options cannot be used.
func New(o Options) (Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone() // with ProxyFromEnvironment
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: o.Insecure}
	if err := trustAll(config, o); err != nil {
		return Client{}, err
	}
	if o.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return Client{}, fault.Errorf(fault.ErrInvalid, "cannot read the client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	transport.TLSClientConfig, transport.OnProxyConnectResponse = config, connected
	if o.Pause == 0 {
		o.Pause = firstPause
	}
	if o.Stall == 0 {
		o.Stall = stall
	}
	client := &http.Client{Transport: impatient{transport, o.Stall}, CheckRedirect: redirect}
	return Client{HTTP: client, Pause: o.Pause}, nil
}

// trustAll adds the certificates of the options to those that config trusts.
func trustAll(config *tls.Config, o Options) error {
	if len(o.CA) > 0 {
		if err := trust(config, "the file of CA certificates", o.CA); err != nil {
			return err
		}
	}
	for _, file := range o.CAFiles {
		if file == "" {
			continue
		}
		pem, err := os.ReadFile(file)
		if err != nil {
			return fault.Errorf(fault.ErrInvalid, "cannot read the certificates: %w", err)
		}
		if err := trust(config, file, pem); err != nil {
			return err
		}
	}
	return nil
}

// trust adds the certificates in pem, which come from file, to those that config trusts.
func trust(config *tls.Config, file string, pem []byte) error {
	if config.RootCAs == nil {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		config.RootCAs = pool
	}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return fault.Errorf(fault.ErrInvalid, "there is no certificate in %s", file)
	}
	return nil
}

// redirect refuses redirects from https to http, and removes credentials before a redirect to
// another server: net/http keeps them for other ports and sub-domains.
func redirect(r *http.Request, via []*http.Request) error {
	switch first, last := via[0], via[len(via)-1]; {
	case len(via) >= maxRedirects:
		return fault.Errorf(fault.ErrUnavailable, "the server redirects in a circle: more than %d redirects", maxRedirects)
	case r.URL.Scheme != "https" && (last.URL.Scheme == "https" || r.URL.Scheme != "http"):
		err := fault.Errorf(fault.ErrUnavailable, "the server redirects from %s to %s, which is refused", last.URL.Scheme, Shown(r.URL))
		return fault.WithHint(err, "use the https URL of the file, or download it and use its path")
	case r.URL.Scheme != first.URL.Scheme || r.URL.Host != first.URL.Host:
		r.Header.Del("Authorization")
		r.Header.Del("Referer") // it has the query of the URL before
	}
	return nil
}

var errStalled = errors.New("the download stalled")

// impatient cancels requests to servers that send nothing for a while, and returns an error for
// statuses that may pass, so that the caller need not check them.
type impatient struct {
	next  http.RoundTripper
	stall time.Duration
}

// RoundTrip implements [http.RoundTripper].
func (t impatient) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	w := &watched{ctx: ctx, cancel: cancel, stall: t.stall}
	w.timer = time.AfterFunc(t.stall, func() { cancel(errStalled) })
	r = r.Clone(ctx)
	r.Header.Set("User-Agent", "lab")
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		defer w.end()
		return nil, w.why(err)
	}
	w.body = resp.Body
	resp.Body = w
	if mayPass(resp.StatusCode) {
		_ = w.Close()
		return nil, statusOf(resp)
	}
	return resp, nil
}

// watched is the body of an answer that fails when nothing arrives for a while.
type watched struct {
	body   io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	stall  time.Duration
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	if n > 0 {
		w.timer.Reset(w.stall)
	}
	return n, w.why(err)
}

func (w *watched) Close() error {
	defer w.end()
	return w.body.Close()
}

func (w *watched) end() {
	w.timer.Stop()
	w.cancel(nil)
}

// why returns the stall if it caused err, else err.
func (w *watched) why(err error) error {
	if err != nil && errors.Is(context.Cause(w.ctx), errStalled) {
		return fault.Errorf(fault.ErrUnavailable, "%w: the server sent nothing for %s", errStalled, w.stall)
	}
	return err
}

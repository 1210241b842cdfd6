package download

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// server answers each request with f, which is told how many came before.
func server(t *testing.T, f func(w http.ResponseWriter, r *http.Request, before int)) (at string, asked *atomic.Int32) {
	t.Helper()
	asked = &atomic.Int32{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f(w, r, int(asked.Add(1))-1) }))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func client(t *testing.T, o Options) Client {
	t.Helper()
	if o.Pause == 0 {
		o.Pause = time.Millisecond
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.HTTP.CloseIdleConnections)
	return c
}

func wantError(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%v, want %v", err, kind)
		return
	}
	text := err.Error() + "; " + fault.HintOf(err)
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q does not contain %q", text, word)
		}
	}
	for _, secret := range []string{"robot", "S3cret", "token="} {
		if strings.Contains(text, secret) {
			t.Errorf("%q has the secret %s", text, secret)
		}
	}
}

// TestGet is about one answer; what servers that fail do is below.
func TestGet(t *testing.T) {
	t.Parallel()
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		_, _ = io.WriteString(w, r.Header.Get("User-Agent")+" "+r.Header.Get("Accept"))
	})
	c := client(t, Options{})
	const want = "lab text/plain"
	arrived, of := int64(0), int64(0)
	q := Request{URL: url, Header: http.Header{"Accept": {"text/plain"}}, Limit: int64(len(want)), Moved: func(n, total int64) { arrived, of = n, total }}
	body, err := c.Get(t.Context(), q)
	if string(body) != want || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	if int(arrived) != len(want) || int(of) != len(want) {
		t.Errorf("reported: %d of %d", arrived, of)
	}
	q.Limit--
	_, err = c.Get(t.Context(), q)
	wantError(t, err, fault.ErrInvalid, "larger than")
}

// TestLasting: lab does not retry after an error that cannot pass, and the error says why.
func TestLasting(t *testing.T) {
	t.Parallel()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	plain, _ := server(t, func(http.ResponseWriter, *http.Request, int) {})
	c := client(t, Options{Pause: time.Hour})
	for url, test := range map[string]struct {
		kind  error
		words []string
	}{
		"http://ho st":                        {fault.ErrInvalid, []string{"is not a URL"}},
		"http://robot:S3cret/x@host":          {fault.ErrInvalid, []string{"http://***@host is not a URL"}},
		"ftp://robot:S3cret@host/file":        {fault.ErrInvalid, []string{"ftp://host/file: the scheme must be https or http"}},
		secure.URL:                            {fault.ErrUnavailable, []string{"certificate", "--ca-file"}},
		strings.Replace(plain, "p", "ps", 1):  {fault.ErrUnavailable, []string{"speaks http, not https"}},
		"http://127.0.0.1:1/?token=S3cret":    {fault.ErrUnavailable, []string{"connection refused", "HTTPS_PROXY"}},
		"http://no-such-host.invalid/?token=": {fault.ErrUnavailable, []string{"no-such-host.invalid"}},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err := c.Get(ctx, Request{URL: url, Limit: 100})
		cancel()
		if strings.Contains(url, ".invalid") && !errors.Is(err, fault.ErrUnavailable) {
			continue // a network whose names are not answered at all
		}
		wantError(t, err, test.kind, test.words...)
	}
	for status, kind := range map[int]error{400: fault.ErrUnavailable, 401: fault.ErrUnavailable, 403: fault.ErrUnavailable, 404: fault.ErrNotFound} {
		url, asked := server(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(status) })
		_, err := c.Get(t.Context(), Request{URL: url + "/file?token=S3cret", Limit: 100})
		wantError(t, err, kind, url+"/file: the server answers "+fmt.Sprint(status))
		if n := asked.Load(); n != 1 {
			t.Errorf("%d: %d requests", status, n)
		}
	}
}

func TestPasses(t *testing.T) {
	t.Parallel()
	url, asked := server(t, func(w http.ResponseWriter, _ *http.Request, before int) {
		if before < 4 {
			w.WriteHeader([]int{429, 500, 503, 408}[before])
		}
	})
	if _, err := client(t, Options{}).Get(t.Context(), Request{URL: url, Limit: 100}); err != nil || asked.Load() != 5 {
		t.Errorf("%v after %d requests", err, asked.Load())
	}
	url, asked = server(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(502) })
	_, err := client(t, Options{}).Get(t.Context(), Request{URL: url, Limit: 100})
	wantError(t, err, fault.ErrUnavailable, "502 Bad Gateway", "try again later")
	if n := asked.Load(); n != attempts {
		t.Errorf("%d requests", n)
	}
}

// brokenOff serves content, whose first half only arrives before the connection breaks or
// stalls, and the rest where it is asked for.
func brokenOff(content []byte, etag string, stalls bool) func(w http.ResponseWriter, r *http.Request, before int) {
	return func(w http.ResponseWriter, r *http.Request, before int) {
		w.Header().Set("ETag", etag)
		if before > 0 {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(content)))
		_, _ = w.Write(content[:len(content)/2])
		w.(http.Flusher).Flush()
		if stalls {
			<-r.Context().Done()
		}
		panic(http.ErrAbortHandler)
	}
}

// TestBrokenOff: a download that broke off or stalled is resumed if the server can resume the
// same content, else it starts again.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789"), 10_000)
	for what, test := range map[string]struct {
		etag   string
		stalls bool
		ranged bool
	}{
		"resumed":           {`"v1"`, false, true},
		"stalled":           {`"v1"`, true, true},
		"stalled, no tag":   {"", true, false},
		"broken, weak tag":  {`W/"v1"`, false, false},
		"broken, no resume": {"", false, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			ranges := []string{}
			serve := brokenOff(content, test.etag, test.stalls)
			url, asked := server(t, func(w http.ResponseWriter, r *http.Request, before int) {
				mu.Lock()
				ranges = append(ranges, r.Header.Get("Range"))
				mu.Unlock()
				serve(w, r, before)
			})
			most := int64(0)
			q := Request{URL: url, Limit: int64(len(content)), Moved: func(_, of int64) { most = max(most, of) }}
			body, err := client(t, Options{Stall: 3 * time.Second}).Get(t.Context(), q)
			if err != nil || !bytes.Equal(body, content) || asked.Load() != 2 || most != int64(len(content)) {
				t.Fatalf("%d bytes of %d, after %d requests: %v", len(body), most, asked.Load(), err)
			}
			if got := ranges[1] != ""; got != test.ranged {
				t.Errorf("the second request is for %q", ranges[1])
			}
		})
	}
}

// TestChanged: halves of two different files are not one file.
func TestChanged(t *testing.T) {
	t.Parallel()
	first, second := bytes.Repeat([]byte("a"), 1000), bytes.Repeat([]byte("b"), 1000)
	url, _ := server(t, func(w http.ResponseWriter, r *http.Request, before int) {
		if before == 0 {
			brokenOff(first, `"v1"`, false)(w, r, 0)
		}
		brokenOff(second, `"v2"`, false)(w, r, 1)
	})
	body, err := client(t, Options{}).Get(t.Context(), Request{URL: url, Limit: 2000})
	if err != nil || !bytes.Equal(body, second) {
		t.Errorf("%q, %v", body, err)
	}
}

// TestStalls: a download fails if the server sends nothing, before or after the headers.
func TestStalls(t *testing.T) {
	t.Parallel()
	for _, begins := range []bool{false, true} {
		url, asked := server(t, func(w http.ResponseWriter, r *http.Request, _ int) {
			if begins {
				_, _ = io.WriteString(w, "x")
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		})
		_, err := client(t, Options{Stall: 50 * time.Millisecond}).Get(t.Context(), Request{URL: url, Limit: 100})
		wantError(t, err, fault.ErrUnavailable, "stalled: the server sent nothing for 50ms")
		if n := asked.Load(); n != attempts {
			t.Errorf("%d requests", n)
		}
	}
}

// TestRedirects: credentials go to one server, and https is never downgraded.
func TestRedirects(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 1)
	other, _ := server(t, func(_ http.ResponseWriter, r *http.Request, _ int) { got <- r.Header })
	to := ""
	redirects := func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.URL.Path == "/end" {
			got <- r.Header
			return
		}
		http.Redirect(w, r, to, http.StatusFound)
	}
	url, _ := server(t, redirects)
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { redirects(w, r, 0) }))
	t.Cleanup(secure.Close)
	c := client(t, Options{Insecure: true})
	get := func(url, location string) error {
		to = location
		_, err := c.Get(t.Context(), Request{URL: url + "/begin?token=S3cret", Limit: 100, Header: http.Header{"Authorization": {"Basic S3cret"}}})
		return err
	}
	for location, want := range map[string]string{"/end": "Basic S3cret", other: ""} {
		if err := get(url, location); err != nil {
			t.Fatal(err)
		}
		header := <-got
		if header.Get("Authorization") != want || want == "" && header.Get("Referer") != "" {
			t.Errorf("redirected to %s: %v", location, header)
		}
	}
	wantError(t, get(secure.URL, "http://robot:S3cret@127.0.0.1:1/x?token=y"), fault.ErrUnavailable,
		"redirects from https to http://127.0.0.1:1/x, which is refused", "https")
	wantError(t, get(url, "ftp://robot:S3cret@127.0.0.1:1/x"), fault.ErrUnavailable, "which is refused")
	wantError(t, get(url, "/begin"), fault.ErrUnavailable, "in a circle")
	wantError(t, get(url, "http://robot:S3cret/x@host/"), fault.ErrUnavailable, "redirects to an invalid URL")
	wantError(t, get(url, "http://robot:S3cret@127.0.0.1:1/x?token=y"), fault.ErrUnavailable, "connection refused", "HTTPS_PROXY")
}

// TestProxyRefuses: the error tells a proxy that requires authentication from a server that
// does, and the proxy is asked once.
func TestProxyRefuses(t *testing.T) {
	t.Parallel()
	proxy, asked := server(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusProxyAuthRequired) })
	at, err := url.Parse(strings.Replace(proxy, "://", "://robot:S3cret@", 1))
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, Options{})
	c.HTTP.Transport.(impatient).next.(*http.Transport).Proxy = http.ProxyURL(at)
	for i, url := range []string{"http://charts.example/x", "https://charts.example/x"} {
		_, err := c.Get(t.Context(), Request{URL: url, Limit: 100})
		wantError(t, err, fault.ErrUnavailable, url+": the proxy answers 407", "HTTPS_PROXY=http://USER:PASSWORD@")
		if n := int(asked.Load()); n != i+1 {
			t.Errorf("%d requests", n)
		}
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ca.pem")
	for _, text := range []string{"", "no certificate"} {
		if text != "" {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, o := range []Options{{CAFiles: []string{"", file}}, {CertFile: file, KeyFile: file}} {
			if _, err := New(o); !errors.Is(err, fault.ErrInvalid) {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Duration{
		"": 0, "soon": 0, "7": 7 * time.Second, "Tue, 24 Nov 2026 10:00:09 GMT": 9 * time.Second,
	} {
		if got := retryAfter(s, now); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
	long := statusOf(&http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"86400"}}})
	if wait, again := retry(long, time.Second); !again || wait != longest {
		t.Errorf("a day: %v, %v", wait, again)
	}
}

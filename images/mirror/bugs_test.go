package mirror_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/images/mirror"
)

// edited returns a bug that changes the recorded answer to a request before it is sent.
func edited(edit func(r *http.Request, a *httptest.ResponseRecorder)) bug {
	return bug{wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			a := httptest.NewRecorder()
			h.ServeHTTP(a, r)
			edit(r, a)
			for k, v := range a.Header() {
				w.Header()[k] = v
			}
			if r.Method != http.MethodHead {
				w.Header().Del("Content-Length") // of what is sent
			}
			w.WriteHeader(a.Code)
			_, _ = w.Write(a.Body.Bytes())
		})
	}}
}

// asking returns a bug that changes requests before the handler sees them.
func asking(edit func(r *http.Request)) bug {
	return bug{wrap: func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			edit(r)
			h.ServeHTTP(w, r)
		})
	}}
}

func notFoundAs(code int) bug {
	return edited(func(_ *http.Request, a *httptest.ResponseRecorder) {
		if a.Code == http.StatusNotFound {
			a.Code = code
		}
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func bugs() map[string]bug {
	step := time.Now()
	return map[string]bug{
		"passes on 429":               notFoundAs(429),
		"passes on 401":               notFoundAs(401),
		"answers 502":                 notFoundAs(502),
		"forgets the digest":          edited(func(_ *http.Request, a *httptest.ResponseRecorder) { a.Header().Del("Docker-Content-Digest") }),
		"forgets the media type":      edited(func(_ *http.Request, a *httptest.ResponseRecorder) { a.Header().Set("Content-Type", "text/plain") }),
		"completes damaged content":   edited(func(*http.Request, *httptest.ResponseRecorder) {}), // no error while sending
		"truncates":                   edited(func(_ *http.Request, a *httptest.ResponseRecorder) { a.Body.Truncate(a.Body.Len() / 2) }),
		"flips a bit":                 edited(flip),
		"forgets the length of HEAD":  edited(func(_ *http.Request, a *httptest.ResponseRecorder) { a.Header().Del("Content-Length") }),
		"ignores ranges":              asking(func(r *http.Request) { r.Header.Del("Range") }),
		"accepts writes":              asking(func(r *http.Request) { r.Method = http.MethodGet }),
		"assumes docker.io":           asking(func(r *http.Request) { r.URL.RawQuery = url.Values{"ns": {"docker.io"}}.Encode() }),
		"never asks for a tag again":  {options: func(o *mirror.Options) { o.Now = func() time.Time { return step } }},
		"asks for a tag every time":   {options: func(o *mirror.Options) { o.Now = func() time.Time { step = step.Add(time.Hour); return step } }},
		"sends credentials":           {transport: withCredentials},
		"follows redirects to http":   {transport: following},
		"ignores challenges":          {transport: anonymous},
		"keeps asking a failing host": {options: func(o *mirror.Options) { o.Now = func() time.Time { step = step.Add(31 * time.Second); return step } }},
	}
}

func flip(_ *http.Request, a *httptest.ResponseRecorder) {
	if a.Body.Len() > 0 {
		data := bytes.Clone(a.Body.Bytes())
		data[len(data)/2] ^= 1
		a.Body = bytes.NewBuffer(data)
	}
}

func withCredentials(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer secret")
		return next.RoundTrip(r)
	})
}

func anonymous(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.Header.Del("Authorization")
		return next.RoundTrip(r)
	})
}

func following(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		a, err := next.RoundTrip(r)
		if err != nil || !strings.HasPrefix(a.Header.Get("Location"), "http://") {
			return a, err
		}
		_ = a.Body.Close()
		to, err := http.NewRequestWithContext(r.Context(), r.Method, a.Header.Get("Location"), nil)
		if err != nil {
			return nil, err
		}
		return http.DefaultTransport.RoundTrip(to)
	})
}

// silent is a [testing.TB] for a contract that must fail.
type silent struct{ testing.TB }

func (silent) Errorf(string, ...any) {}
func (silent) Error(...any)          {}

// TestContractFindsBugs checks that each bug violates the contract.
func TestContractFindsBugs(t *testing.T) {
	for name, b := range bugs() {
		t.Run(name, func(t *testing.T) {
			for _, check := range contract() {
				if check(newWorld(silent{t}, b)) != nil {
					return
				}
			}
			t.Error("the contract does not find this bug")
		})
	}
}

package download

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

// TestGet is about one answer; what servers that fail do is in the tests of those who ask.
func TestGet(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.Header.Get("User-Agent") + " " + r.Header.Get("Accept")))
	}))
	t.Cleanup(server.Close)
	client, err := New("")
	if err != nil {
		t.Fatal(err)
	}
	const want = "lab text/plain"
	arrived, of := int64(0), int64(0)
	q := Request{URL: server.URL, Header: http.Header{"Accept": {"text/plain"}}, Limit: int64(len(want)), Moved: func(n, total int64) { arrived, of = n, total }}
	body, resp, err := client.Get(t.Context(), q)
	if string(body) != want || err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%q, %v", body, err)
	}
	if int(arrived) != len(want) || int(of) != len(want) {
		t.Errorf("it was said: %d of %d", arrived, of)
	}
	q.Limit--
	if _, _, err := client.Get(t.Context(), q); !errors.Is(err, providers.ErrInvalid) {
		t.Errorf("more than the limit: %v", err)
	}
	if _, _, err := client.Get(t.Context(), Request{URL: "http://ho st"}); !errors.Is(err, providers.ErrInvalid) {
		t.Errorf("no URL: %v", err)
	}
}

func TestAuthorities(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ca.pem")
	for _, text := range []string{"", "no certificate"} {
		if text != "" {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := New(file); !errors.Is(err, providers.ErrInvalid) || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v", text, err)
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
	long := &http.Response{StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"86400"}}}
	if wait, again := retry(long, nil, time.Second); !again || wait != longest {
		t.Errorf("a day: %v, %v", wait, again)
	}
}

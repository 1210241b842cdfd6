package bundles

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// served returns the address of a server of the bundle that class creates, behind wrap if that is not nil.
func served(t *testing.T, m *machine, wrap func(http.Handler) http.Handler) (address string, b Bundle) {
	t.Helper()
	b = m.class(t)
	s, err := m.NewServer(t.Context(), "class", 0, nil)
	check(t, err)
	var handler http.Handler = s
	if wrap != nil {
		handler = wrap(s)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL, b
}

// TestImportURL checks that a machine gets a bundle from a server, also over a network that breaks off each transfer.
func TestImportURL(t *testing.T) {
	t.Parallel()
	var resumed atomic.Int64
	broken := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") != "" {
				resumed.Add(1)
			}
			next.ServeHTTP(&torn{w, 4000}, r)
		})
	}
	for what, wrap := range map[string]func(http.Handler) http.Handler{"network": nil, "broken network": broken} {
		from, to := newMachine(t), newMachine(t)
		to.Client = func([]byte) (download.Client, error) { return download.New(download.Options{Pause: 1}) }
		address, b := served(t, from, wrap)
		got, err := to.ImportURL(t.Context(), address+"#"+b.Digest.String(), nil, nil)
		if err != nil || got.Digest != b.Digest {
			t.Errorf("%s: %s, %v", what, got.Digest, err)
			continue
		}
		if _, err := to.Verify(t.Context(), "class"); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	if resumed.Load() == 0 {
		t.Error("no transfer was resumed")
	}
}

// torn is an answer that breaks off after some bytes.
type torn struct {
	http.ResponseWriter
	left int
}

func (w *torn) Write(p []byte) (int, error) {
	if len(p) > w.left {
		_, _ = w.ResponseWriter.Write(p[:w.left])
		_ = http.NewResponseController(w.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	w.left -= len(p)
	return w.ResponseWriter.Write(p)
}

// TestImportURLRefuses checks that a server cannot deliver anything but what the digest in the address names.
func TestImportURLRefuses(t *testing.T) {
	t.Parallel()
	lying := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			next.ServeHTTP(answer, r)
			_, _ = io.WriteString(w, strings.ReplaceAll(answer.Body.String(), "db", "xx"))
		})
	}
	m := newMachine(t)
	address, b := served(t, newMachine(t), nil)
	lies, _ := served(t, newMachine(t), lying)
	for _, test := range []struct {
		address string
		kind    error
		words   string
	}{
		{address, fault.ErrInvalid, "ends in the digest of its root"},
		{address + "#sha256:12", fault.ErrInvalid, "ends in the digest of its root"},
		{"http://#" + b.Digest.String(), fault.ErrInvalid, "is not a URL"},
		{"http://robot:S3c#ret@host", fault.ErrInvalid, "http://***@host is not a URL"},
		{address + "#" + digest.FromString("other").String(), fault.ErrNotFound, "has no bundle with the root"},
		{lies + "#" + b.Digest.String(), fault.ErrForeign, "damaged"},
		{"http://127.0.0.1:1#" + b.Digest.String(), fault.ErrUnavailable, "refused"},
	} {
		m.Client = func([]byte) (download.Client, error) { return download.New(download.Options{Pause: 1}) }
		_, err := m.ImportURL(t.Context(), test.address, nil, nil)
		if !errors.Is(err, test.kind) || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%s: %v, want %v with %q", test.address, err, test.kind, test.words)
		}
	}
}

// TestServer checks that a server delivers the content of its bundle and nothing else, and counts who got how much.
func TestServer(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	other, err := pushBytes(t.Context(), m.Store, dataType, []byte("a secret"))
	check(t, err)
	b := m.class(t)
	var last Client
	s, err := m.NewServer(t.Context(), "class", 0, func(c Client) { last = c })
	check(t, err)
	for _, test := range []struct {
		method, path string
		status       int
		contains     string
	}{
		{http.MethodGet, "/", http.StatusOK, "lab bundle import &#39;http://example.com#" + b.Digest.String()},
		{http.MethodGet, "/" + blobsDir + "/" + b.Digest.Encoded(), http.StatusOK, rootType},
		{http.MethodHead, "/" + blobsDir + "/" + b.Digest.Encoded(), http.StatusOK, ""},
		{http.MethodGet, "/" + blobsDir + "/" + other.Digest.Encoded(), http.StatusNotFound, ""},
		{http.MethodGet, "/" + blobsDir + "/../../index.json", http.StatusNotFound, ""},
		{http.MethodGet, "/lab", http.StatusNotFound, ""}, // the bundle has none
		{http.MethodPost, "/" + blobsDir + "/" + b.Digest.Encoded(), http.StatusMethodNotAllowed, "only reads"},
	} {
		answer := httptest.NewRecorder()
		s.ServeHTTP(answer, httptest.NewRequest(test.method, "http://example.com"+test.path, nil))
		if answer.Code != test.status || !strings.Contains(answer.Body.String(), test.contains) {
			t.Errorf("%s %s: %d %s", test.method, test.path, answer.Code, answer.Body)
		}
	}
	if size := int64(len(encoded(t, b))); last.Address != "192.0.2.1" || last.Bytes != size || last.Done {
		t.Errorf("%+v, want %d bytes", last, size)
	}
}

// TestServerCountsOnce checks that repeated and resumed transfers count once.
func TestServerCountsOnce(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	b := m.class(t)
	var last Client
	s, err := m.NewServer(t.Context(), "class", 0, func(c Client) { last = c })
	check(t, err)
	for _, part := range []string{"bytes=0-9", "bytes=5-19", "bytes=10-", "", "bytes=30-"} {
		r := httptest.NewRequest(http.MethodGet, "http://example.com/"+blobsDir+"/"+b.Digest.Encoded(), nil)
		if part != "" {
			r.Header.Set("Range", part)
		}
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
	if size := int64(len(encoded(t, b))); last.Bytes != size {
		t.Errorf("%d bytes, want %d", last.Bytes, size)
	}
}

// TestServerOfRemovedBundle checks that clients learn that the bundle was removed.
func TestServerOfRemovedBundle(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	b := m.class(t)
	s, err := m.NewServer(t.Context(), "class", 0, nil)
	check(t, err)
	check(t, os.RemoveAll(m.Store.Dir()))
	answer := httptest.NewRecorder()
	s.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://example.com/"+blobsDir+"/"+b.Digest.Encoded(), nil))
	if answer.Code != http.StatusGone || !strings.Contains(answer.Body.String(), "bundle class was removed") {
		t.Errorf("%d %s", answer.Code, answer.Body)
	}
}

// TestIncomplete checks that a bundle whose import was interrupted is not served.
func TestIncomplete(t *testing.T) {
	t.Parallel()
	from, to := newMachine(t), newMachine(t)
	data := encoded(t, from.class(t))
	b, err := decode(data)
	check(t, err)
	check(t, to.begin(t.Context(), b, descriptorOf(ocispec.MediaTypeImageIndex, data), data))
	if _, err := to.NewServer(t.Context(), "class", 0, nil); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("%v", err)
	}
}

// TestRate checks that the connections of one client share its rate, and that another client does not wait for them.
func TestRate(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.class(t)
	const rate = 1 << 20
	s, err := m.NewServer(t.Context(), "class", rate, nil)
	check(t, err)
	started := time.Now()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { check(t, s.await(t.Context(), "a", rate/10)) })
	}
	all.Wait()
	if took := time.Since(started); took < 300*time.Millisecond { // the first does not wait, the fourth for three
		t.Errorf("0.4 MiB at 1 MiB/s took %s", took)
	}
	check(t, s.await(t.Context(), "a", 3600*rate)) // an hour
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.await(ended, "a", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("the client left: %v", err)
	}
	check(t, s.await(t.Context(), "b", 1))
}

// TestPrivateAddress checks that a server is not reachable from other networks.
func TestPrivateAddress(t *testing.T) {
	t.Parallel()
	for address, allowed := range map[string]bool{
		"127.0.0.1:80": true, "192.168.1.10:80": true, "10.0.0.1:0": true, "[fe80::1]:80": true, "[::1]:80": true, "[fd00::1]:80": true,
		"0.0.0.0:80": false, ":80": false, "[::]:80": false, "8.8.8.8:80": false, "192.168.1.10": false, "example.com:80": false,
		"localhost:80": true, "127.0.0.1:99999": false, "127.0.0.1:http": false, "127.0.0.1:": false,
	} {
		_, err := PrivateAddress(address)
		if (err == nil) != allowed || err != nil && fault.HintOf(err) == "" {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// BenchmarkServe measures how fast thirty clients fetch one bundle over the loopback.
func BenchmarkServe(b *testing.B) {
	m := newMachine(b)
	c := &collector{Bundles: m.Bundles, bundle: Bundle{Name: "class", Platform: platform}}
	check(b, c.artifact(b.Context(), Item{Kind: KindTool, Name: "large"}, make([]byte, 32<<20)))
	root, err := c.finish(b.Context())
	check(b, err)
	s, err := m.NewServer(b.Context(), "class", 0, nil)
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(s)
	defer server.Close()
	const clients = 30
	b.SetBytes(clients * root.Size)
	for b.Loop() {
		var all sync.WaitGroup
		for range clients {
			all.Go(func() {
				for d := range s.content {
					answer, err := http.Get(fmt.Sprintf("%s/%s/%s", server.URL, blobsDir, d.Encoded()))
					if err != nil {
						b.Error(err)
						return
					}
					_, err = io.Copy(io.Discard, answer.Body)
					if err != nil {
						b.Error(err)
					}
					_ = answer.Body.Close()
				}
			})
		}
		all.Wait()
	}
}

package mirror_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/clusterlab-dev/lab/images/mirror"
	"github.com/clusterlab-dev/lab/images/store"
)

// world is a handler, its store and the registry behind it.
type world struct {
	t        testing.TB
	registry *registry
	store    *store.Store
	now      time.Time
	front    *httptest.Server
}

// bug changes what a handler does; the zero value changes nothing.
type bug struct {
	wrap      func(http.Handler) http.Handler
	transport func(http.RoundTripper) http.RoundTripper
	options   func(*mirror.Options)
}

func newWorld(t testing.TB, b bug) *world {
	w := &world{t: t, registry: newRegistry(t), now: time.Now()}
	w.store = store.Open(filepath.Join(t.TempDir(), "store"), store.Options{Free: func(string) (int64, error) { return math.MaxInt64, nil }})
	opts := mirror.Options{
		Registries: map[string]string{"docker.io": w.registry.URL, "ghcr.io": w.registry.URL},
		Headers:    time.Minute, // slow machines are not the subject
		Stall:      time.Minute,
		Transport:  w.registry.Client().Transport,
		Now:        func() time.Time { return w.now },
	}
	if b.transport != nil {
		opts.Transport = b.transport(opts.Transport)
	}
	if b.options != nil {
		b.options(&opts)
	}
	h, err := mirror.New(w.store, opts)
	if err != nil {
		t.Fatal(err)
	}
	var handler http.Handler = h
	if b.wrap != nil {
		handler = b.wrap(h)
	}
	w.front = httptest.NewServer(handler)
	t.Cleanup(w.front.Close)
	return w
}

// answer is what a client got.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error // while reading the body
}

func (w *world) do(method, path string, header ...string) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.front.URL+path, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := w.front.Client().Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, data, err}
}

func (w *world) get(path string, header ...string) answer {
	w.t.Helper()
	return w.do(http.MethodGet, path, header...)
}

const byTag = "/v2/library/web/manifests/v1?ns=docker.io"

func (w *world) byDigest() string {
	return "/v2/library/web/manifests/" + digest.FromBytes(w.registry.manifest).String() + "?ns=docker.io"
}

func (w *world) layer() string {
	return "/v2/library/web/blobs/" + digest.FromBytes(w.registry.layer).String() + "?ns=docker.io"
}

// is checks that an answer has content.
func (a answer) is(status int, mediaType string, content []byte) error {
	switch {
	case a.err != nil || a.status != status:
		return fmt.Errorf("status %d, %v, want %d: %.200s", a.status, a.err, status, a.body)
	case a.header.Get("Content-Type") != mediaType:
		return fmt.Errorf("type %q, want %q", a.header.Get("Content-Type"), mediaType)
	case !bytes.Equal(a.body, content):
		return fmt.Errorf("other content: %d bytes, want %d", len(a.body), len(content))
	}
	return nil
}

// isManifest checks that an answer is a manifest, with what containerd needs.
func (a answer) isManifest(m []byte) error {
	if got := a.header.Get("Docker-Content-Digest"); got != digest.FromBytes(m).String() {
		return errors.Join(fmt.Errorf("digest %q", got), a.is(200, ocispec.MediaTypeImageManifest, m))
	}
	return a.is(200, ocispec.MediaTypeImageManifest, m)
}

func (a answer) isLayer(data []byte) error { return a.is(200, "application/octet-stream", data) }

// isNotFound checks that an engine goes on to the registry at once.
func (a answer) isNotFound() error {
	if a.err != nil || a.status != http.StatusNotFound || a.header.Get("Retry-After") != "" || a.header.Get("Www-Authenticate") != "" {
		return fmt.Errorf("status %d, %v, %v, want 404", a.status, a.err, a.header)
	}
	return nil
}

// askedNothing checks that the registry was not asked since the last check.
func (w *world) askedNothing() error {
	if n := len(w.registry.asked()); n > 0 {
		return fmt.Errorf("the registry was asked %d times", n)
	}
	return nil
}

// pull fills the store.
func (w *world) pull() error {
	m, l := w.get(byTag).isManifest(w.registry.manifest), w.get(w.layer()).isLayer(w.registry.layer)
	w.registry.asked()
	return errors.Join(m, l)
}

// contract returns what every handler must do.
func contract() map[string]func(w *world) error {
	rules := map[string]func(w *world) error{
		"answers with the content of the registry": func(w *world) error {
			return errors.Join(w.pull(), w.get(w.byDigest()).isManifest(w.registry.manifest))
		},
		"takes the registry from the path": func(w *world) error {
			return errors.Join(
				w.get("/v2/docker.io/library/web/manifests/v1").isManifest(w.registry.manifest),
				w.get("/v2/docker.io/library/web/manifests/v1?ns=docker.io").isManifest(w.registry.manifest),
				w.get("/v2/docker.io/web/manifests/v1").isManifest(w.registry.manifest),
				w.get("/v2/ghcr.io/library/web/manifests/v1").isManifest(w.registry.manifest))
		},
		"answers to the check of the version": func(w *world) error {
			return w.get("/v2/").is(200, "application/json", []byte("{}"))
		},
		"downloads nothing twice": func(w *world) error {
			return errors.Join(w.pull(), w.get(byTag).isManifest(w.registry.manifest), w.get(w.byDigest()).isManifest(w.registry.manifest),
				w.get(w.layer()).isLayer(w.registry.layer), w.askedNothing())
		},
		"answers HEAD": func(w *world) error {
			for path, size := range map[string]int{byTag: len(w.registry.manifest), w.layer(): len(w.registry.layer)} {
				a := w.do(http.MethodHead, path)
				if a.err != nil || a.status != 200 || a.header.Get("Content-Length") != fmt.Sprint(size) || a.header.Get("Docker-Content-Digest") == "" {
					return fmt.Errorf("%s: status %d, %v, %v", path, a.status, a.err, a.header)
				}
			}
			return w.get(w.layer()).isLayer(w.registry.layer) // the fetch has ended
		},
		"answers with ranges": func(w *world) error {
			return errors.Join(
				w.get(w.layer(), "Range", "bytes=100-199").is(206, "application/octet-stream", w.registry.layer[100:200]), // while it arrives
				w.pull(),
				w.get(w.layer(), "Range", "bytes=100-").is(206, "application/octet-stream", w.registry.layer[100:]))
		},
		"only reads": func(w *world) error {
			for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
				if a := w.do(method, byTag); a.status != http.StatusMethodNotAllowed {
					return fmt.Errorf("%s: status %d", method, a.status)
				}
			}
			return w.askedNothing()
		},
		"is not an open proxy": func(w *world) error {
			host := strings.TrimPrefix(w.registry.URL, "https://")
			return errors.Join(
				w.get("/v2/library/web/manifests/v1?ns="+host).isNotFound(),
				w.get("/v2/"+host+"/library/web/manifests/v1").isNotFound(),
				w.get("/v2/library/web/manifests/v1").isNotFound(),
				w.get("/v2/docker.io/../../manifests/v1").isNotFound(),
				w.get("/v2/library/web/manifests/v1%3F..?ns=docker.io").isNotFound(),
				w.askedNothing())
		},
		"passes on no credentials": func(w *world) error {
			w.get(byTag, "Authorization", "Bearer secret", "Cookie", "secret=1")
			for _, r := range w.registry.asked() {
				if r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" {
					return fmt.Errorf("%v", r.Header)
				}
			}
			return nil
		},
		"gets the token that everybody gets": func(w *world) error {
			w.registry.misbehave(tokens)
			return w.pull()
		},
		"refuses a redirect without TLS": func(w *world) error {
			plain := httptest.NewServer(w.registry)
			w.t.Cleanup(plain.Close)
			w.registry.misbehave(func(rw http.ResponseWriter, r *http.Request) bool {
				if r.TLS == nil {
					return false
				}
				http.Redirect(rw, r, plain.URL+r.URL.Path, http.StatusTemporaryRedirect)
				return true
			})
			return errors.Join(w.get(byTag).isNotFound(), w.get(w.layer()).isNotFound())
		},
	}
	for name, rule := range tagRules() {
		rules[name] = rule
	}
	for name, rule := range failureRules() {
		rules[name] = rule
	}
	for name, rule := range importRules() {
		rules[name] = rule
	}
	return rules
}

// importRules returns the rules about content that the handler has not fetched.
func importRules() map[string]func(w *world) error {
	return map[string]func(w *world) error{
		"does not offer private content of a bundle": func(w *world) error {
			layer := []byte("a private layer")
			m := manifestOf(w.t, layer)
			err := errors.Join(w.pull(), w.importImage("docker.io/acme/private:v1", m, layer))
			for _, path := range []string{
				"/v2/docker.io/acme/private/manifests/v1",
				"/v2/docker.io/acme/private/manifests/" + digest.FromBytes(m).String(),
				"/v2/docker.io/library/web/manifests/" + digest.FromBytes(m).String(),
				"/v2/docker.io/acme/private/blobs/" + digest.FromBytes(layer).String(),
				"/v2/docker.io/library/web/blobs/" + digest.FromBytes(layer).String(),
			} {
				err = errors.Join(err, w.get(path).isNotFound())
			}
			return err
		},
		"offers public content of a bundle after it asked once": func(w *world) error {
			err := errors.Join(w.importImage("docker.io/library/web:v1", w.registry.manifest, w.registry.layer), w.get(byTag).isManifest(w.registry.manifest))
			if asked := w.registry.asked(); len(asked) != 1 || asked[0].Method != http.MethodHead {
				err = errors.Join(err, fmt.Errorf("%d requests", len(asked)))
			}
			return errors.Join(err, w.get(byTag).isManifest(w.registry.manifest), w.get(w.layer()).isLayer(w.registry.layer), w.askedNothing())
		},
		"offers content only in the repository that has it": func(w *world) error {
			elsewhere := "/v2/library/other/blobs/" + digest.FromBytes(w.registry.layer).String() + "?ns=docker.io"
			return errors.Join(w.pull(), w.get(elsewhere).isNotFound(), w.get(w.layer()).isLayer(w.registry.layer))
		},
	}
}

// importImage stores an image as an import does.
func (w *world) importImage(ref string, manifest, layer []byte) error {
	descriptor := func(mediaType string, data []byte) ocispec.Descriptor {
		return ocispec.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(data), Size: int64(len(data))}
	}
	m := descriptor(ocispec.MediaTypeImageManifest, manifest)
	err := w.store.Push(w.t.Context(), m, bytes.NewReader(manifest))
	l := descriptor(ocispec.MediaTypeImageLayer, layer)
	return errors.Join(err, w.store.Push(w.t.Context(), l, bytes.NewReader(layer)), w.store.Tag(w.t.Context(), m, ref))
}

// tagRules returns the rules about tags.
func tagRules() map[string]func(w *world) error {
	return map[string]func(w *world) error{
		"asks for a tag again after ten minutes": func(w *world) error {
			err := w.pull()
			w.now = w.now.Add(11 * time.Minute)
			err = errors.Join(err, w.get(byTag).isManifest(w.registry.manifest))
			asked := w.registry.asked()
			if len(asked) != 1 || asked[0].Method != http.MethodHead {
				err = errors.Join(err, fmt.Errorf("%d requests", len(asked)))
			}
			return errors.Join(err, w.get(byTag).isManifest(w.registry.manifest), w.askedNothing())
		},
		"follows a tag that moved": func(w *world) error {
			err := w.pull()
			moved := manifestOf(w.t)
			w.registry.tag("v1", moved)
			w.now = w.now.Add(11 * time.Minute)
			return errors.Join(err, w.get(byTag).isManifest(moved))
		},
		"asks again if the clock was set back": func(w *world) error {
			err := w.pull()
			moved := manifestOf(w.t)
			w.registry.tag("v1", moved)
			w.now = w.now.Add(-24 * time.Hour)
			return errors.Join(err, w.get(byTag).isManifest(moved))
		},
		"uses what it knows while the registry fails": func(w *world) error {
			err := w.pull()
			for _, code := range []int{408, 429, 500, 503} {
				w.registry.misbehave(status(code))
				w.now = w.now.Add(11 * time.Minute)
				err = errors.Join(err, w.get(byTag).isManifest(w.registry.manifest))
			}
			w.registry.CloseClientConnections()
			w.registry.Close()
			w.now = w.now.Add(11 * time.Minute)
			return errors.Join(err, w.get(byTag).isManifest(w.registry.manifest), w.get(w.layer()).isLayer(w.registry.layer))
		},
		"does not offer what is no longer public": func(w *world) error {
			err := w.pull()
			w.registry.misbehave(status(http.StatusUnauthorized))
			w.now = w.now.Add(11 * time.Minute)
			return errors.Join(err, w.get(byTag).isNotFound())
		},
		"never asks for an imported tag": func(w *world) error {
			m := manifestOf(w.t, []byte("imported"))
			d := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(m), Size: int64(len(m))}
			err := errors.Join(w.store.Push(w.t.Context(), d, bytes.NewReader(m)), w.store.Tag(w.t.Context(), d, "docker.io/library/web:v1"))
			w.registry.tag("v0", m) // the registry has the content, but v1 is another
			err = errors.Join(err, w.get(byTag).isManifest(m))
			w.registry.asked()
			w.now = w.now.Add(11 * time.Minute)
			return errors.Join(err, w.get(byTag).isManifest(m), w.askedNothing())
		},
	}
}

// failureRules returns the rules about registries that fail or lie.
func failureRules() map[string]func(w *world) error {
	rules := map[string]func(w *world) error{
		"stops asking a registry that fails": func(w *world) error {
			w.registry.misbehave(status(503))
			err := errors.Join(w.get(byTag).isNotFound(), w.get(byTag).isNotFound())
			w.registry.asked()
			err = errors.Join(err, w.get(byTag).isNotFound(), w.get(w.layer()).isNotFound(), w.askedNothing())
			w.registry.misbehave(nil)
			w.now = w.now.Add(time.Minute)
			return errors.Join(err, w.pull())
		},
		"never completes content with another digest": func(w *world) error {
			w.registry.misbehave(isBlob(func(rw http.ResponseWriter, _ *http.Request) {
				send(rw, "application/octet-stream", slices.Concat(w.registry.layer[1:], []byte("x")))
			}))
			return incomplete(w)
		},
		"never completes truncated content": func(w *world) error {
			w.registry.misbehave(isBlob(func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Content-Length", fmt.Sprint(len(w.registry.layer)))
				_, _ = rw.Write(w.registry.layer[1:])
			}))
			return incomplete(w)
		},
		"believes no digest of a tag": func(w *world) error {
			w.registry.misbehave(func(rw http.ResponseWriter, r *http.Request) bool {
				rw.Header().Set("Docker-Content-Digest", digest.FromString("a lie").String())
				send(rw, ocispec.MediaTypeImageManifest, w.registry.manifest)
				return true
			})
			return w.get(byTag).isNotFound()
		},
	}
	for _, code := range []int{201, 400, 401, 403, 404, 408, 429, 500, 502, 503} {
		rules[fmt.Sprintf("answers 404 to %d of the registry", code)] = func(w *world) error {
			w.registry.misbehave(status(code))
			return errors.Join(w.get(byTag).isNotFound(), w.get(w.byDigest()).isNotFound(), w.get(w.layer()).isNotFound())
		}
	}
	return rules
}

// incomplete checks that a layer arrives neither complete nor into the store, and that the next attempt succeeds.
func incomplete(w *world) error {
	a := w.get(w.layer())
	if a.err == nil && a.status == http.StatusOK {
		return fmt.Errorf("%d bytes without an error", len(a.body))
	}
	w.registry.misbehave(nil)
	return w.pull()
}

func TestContract(t *testing.T) {
	for name, rule := range contract() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := rule(newWorld(t, bug{})); err != nil {
				t.Error(err)
			}
		})
	}
}

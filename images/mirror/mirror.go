// Package mirror answers the requests of container engines for public images from a store, which it fills from the
// registries. One handler serves all registries: containerd names the registry in the query, as in
// /v2/library/nginx/manifests/1.27?ns=docker.io, and everything else in the path, as in
// /v2/docker.io/library/nginx/manifests/1.27.
//
// The handler never delays an engine for long. If it cannot answer, for whatever reason, the status is 404, after which
// engines ask the registry itself, with their own credentials. Other answers make them retry or wait: on 408 and
// 429, containerd repeats the request to the mirror.
package mirror

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sync/singleflight"

	"github.com/clusterlab-dev/lab/images/store"
)

const (
	// maxManifest is the size in bytes of the largest manifest. Registries accept 4 MiB.
	maxManifest = 4 << 20
	// fresh is how long a tag is used before the registry is asked for it again.
	fresh = 10 * time.Minute
)

// Options configure a handler.
type Options struct {
	// Registries contains the registries that may be asked: by the name that images have, the address of the
	// registry or of its mirror, such as "https://registry-1.docker.io". All others are refused: the handler is
	// not an open proxy.
	Registries map[string]string
	// Headers is how long a registry may take to answer, redirects and tokens included; 0 means 5 seconds.
	Headers time.Duration
	// Stall is how long a registry may send nothing in the middle of an answer; 0 means 30 seconds.
	Stall time.Duration
	// Transport sends the requests. nil connects within 2 seconds, and uses the proxy of the environment.
	Transport http.RoundTripper
	// Report is called for each answer with an image, and for each that failed. It may be nil.
	Report func(Event)
	// Now returns the time. nil means time.Now.
	Now func() time.Time
}

// Event is one answer.
type Event struct {
	Image  string        // such as docker.io/library/nginx:1.27
	Digest digest.Digest // empty if it is not known
	Moved  digest.Digest // what the tag referred to before, if it moved
	Stale  bool          // the registry could not be asked whether the tag moved
	Err    error         // why the answer is 404
}

// Handler is an [http.Handler] for the API of registries. It reads only.
type Handler struct {
	store     *store.Store
	upstreams map[string]*upstream
	opts      Options
	checks    singleflight.Group // of tags, and of content from elsewhere

	mu    sync.Mutex
	stats map[string]Stats
}

// Stats counts the requests for a registry.
type Stats struct {
	Requests int64 `json:"requests"` // requests of container engines
	Failed   int64 `json:"failed"`   // of them, those that were answered with 404
	Asked    int64 `json:"asked"`    // requests to the registry
	Bytes    int64 `json:"bytes"`    // bytes that the registry sent
}

// New returns a handler. Errors: an address of a registry that is not a URL.
func New(s *store.Store, opts Options) (*Handler, error) {
	if opts.Headers == 0 {
		opts.Headers = 5 * time.Second
	}
	if opts.Stall == 0 {
		opts.Stall = 30 * time.Second
	}
	if opts.Transport == nil {
		opts.Transport = transport()
	}
	if opts.Report == nil {
		opts.Report = func(Event) {}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	h := &Handler{store: s, opts: opts, upstreams: map[string]*upstream{}, stats: map[string]Stats{}}
	for name, address := range opts.Registries {
		u, err := newUpstream(name, address, opts, h.count)
		if err != nil {
			return nil, err
		}
		h.upstreams[name] = u
	}
	return h, nil
}

// Stats returns the counts since the start, by registry.
func (h *Handler) Stats() map[string]Stats {
	h.mu.Lock()
	defer h.mu.Unlock()
	stats := map[string]Stats{}
	for name, s := range h.stats {
		stats[name] = s
	}
	return stats
}

func (h *Handler) count(registry string, add Stats) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.stats[registry]
	s.Requests += add.Requests
	s.Failed += add.Failed
	s.Asked += add.Asked
	s.Bytes += add.Bytes
	h.stats[registry] = s
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", errors.New("the cache only reads"))
		return
	case r.URL.Path == "/v2/" || r.URL.Path == "/v2":
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, "{}")
		return
	}
	q, err := h.parse(r.URL.Path, r.URL.Query())
	if err != nil {
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN", err)
		return
	}
	h.count(q.registry(), Stats{Requests: 1})
	event := Event{Image: q.String(), Digest: q.digest}
	if q.kind == blobs {
		event.Err = h.blob(w, r, q)
	} else {
		event.Err = h.manifest(w, r, q, &event)
	}
	if event.Err != nil {
		h.count(q.registry(), Stats{Failed: 1})
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", event.Err)
	}
	if event.Err != nil || q.kind == manifests {
		h.opts.Report(event)
	}
}

// refuse answers with an error in the format of registries.
func refuse(w http.ResponseWriter, status int, code string, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	type problem struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	_ = json.NewEncoder(w).Encode(map[string][]problem{"errors": {{code, "lab cache: " + err.Error()}}})
}

// blob answers with a layer or a configuration. It returns an error if it has not answered.
func (h *Handler) blob(w http.ResponseWriter, r *http.Request, q query) error {
	b, err := h.content(r.Context(), q)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	serve(w, r, "application/octet-stream", q.digest, b)
	return nil
}

// content returns what a query is for, from the store or else from the registry. Bundles share the store, and may contain
// private images. So content that the registry has not given this handler in this repository, which has no credentials, is
// returned only if the registry offers it.
func (h *Handler) content(ctx context.Context, q query) (*store.Blob, error) {
	public := h.store.IsPublic(q.name.Name(), q.digest)
	fetch := q.upstream.origin(q)
	var given atomic.Bool
	b, err := h.store.Through(ctx, q.digest, func(ctx context.Context) (io.ReadCloser, int64, error) {
		body, size, err := fetch(ctx)
		given.Store(err == nil)
		return body, size, err
	})
	if err != nil || public {
		return b, err
	}
	if !given.Load() {
		_, err, _ = h.checks.Do(q.String(), func() (any, error) { return nil, q.upstream.offers(context.WithoutCancel(ctx), q) })
	}
	if err == nil {
		err = h.store.SetPublic(q.name.Name(), q.digest)
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// serve answers with content. If reading it fails, the answer is shorter than its header says.
func serve(w http.ResponseWriter, r *http.Request, mediaType string, d digest.Digest, body io.ReadSeeker) {
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Docker-Content-Digest", d.String())
	w.Header().Set("Etag", `"`+d.String()+`"`)
	http.ServeContent(w, r, "", time.Time{}, body)
}

// manifest answers with a manifest. It returns an error if it has not answered.
func (h *Handler) manifest(w http.ResponseWriter, r *http.Request, q query, event *Event) error {
	if q.tag != "" {
		d, err := h.resolve(r.Context(), q, event)
		if err != nil {
			return err
		}
		q.digest, event.Digest = d, d
	}
	data, mediaType, err := h.readManifest(r.Context(), q)
	if err != nil {
		return err
	}
	serve(w, r, mediaType, q.digest, bytes.NewReader(data))
	return nil
}

// readManifest returns a manifest by its digest, and its media type. What a public manifest references is public in its
// repository: registries accept a manifest only if they have the rest.
func (h *Handler) readManifest(ctx context.Context, q query) (data []byte, mediaType string, err error) {
	q.tag = ""
	b, err := h.content(ctx, q)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = b.Close() }()
	if b.Size() > maxManifest {
		return nil, "", fmt.Errorf("%s is not a manifest: it has %d bytes", q.digest, b.Size())
	}
	data, err = io.ReadAll(b)
	if err != nil {
		return nil, "", err
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil || m.SchemaVersion != 2 {
		return nil, "", errors.New("not a manifest that container engines still read")
	}
	return data, m.mediaType(), h.store.SetPublic(q.name.Name(), m.references()...)
}

// manifest has the fields of an index and of the manifest of one platform.
type manifest struct {
	SchemaVersion int                  `json:"schemaVersion"`
	MediaType     string               `json:"mediaType"`
	Manifests     []ocispec.Descriptor `json:"manifests"`
	Config        ocispec.Descriptor   `json:"config"`
	Layers        []ocispec.Descriptor `json:"layers"`
}

// mediaType returns the media type. The specification allows OCI manifests without one.
func (m manifest) mediaType() string {
	switch {
	case m.MediaType != "":
		return m.MediaType
	case m.Manifests != nil:
		return ocispec.MediaTypeImageIndex
	}
	return ocispec.MediaTypeImageManifest
}

// references returns the digests of what the registry serves with the manifest. Layers with URLs may be elsewhere.
func (m manifest) references() []digest.Digest {
	var all []digest.Digest
	for _, d := range slices.Concat(m.Manifests, m.Layers, []ocispec.Descriptor{m.Config}) {
		if len(d.URLs) == 0 && d.Digest.Validate() == nil && d.Digest.Algorithm() == digest.SHA256 {
			all = append(all, d.Digest)
		}
	}
	return all
}

// resolve returns what a tag refers to. It asks the registry at most every 10 minutes, and uses the stored answer if the
// registry does not answer. It never asks for an imported tag.
func (h *Handler) resolve(ctx context.Context, q query, event *Event) (digest.Digest, error) {
	known, err := h.store.Lookup(ctx, q.String())
	isKnown := err == nil
	if isKnown && (known.Checked.IsZero() || h.opts.Now().Sub(known.Checked).Abs() < fresh) {
		return known.Descriptor.Digest, nil
	}
	now, err, _ := h.checks.Do(q.String(), func() (any, error) { return h.check(context.WithoutCancel(ctx), q) })
	switch {
	case err == nil:
		d := now.(digest.Digest)
		if isKnown && d != known.Descriptor.Digest {
			event.Moved = known.Descriptor.Digest
		}
		return d, nil
	case !isKnown:
		return "", err
	case errors.Is(err, errRefused):
		return "", errors.Join(err, h.store.Untag(ctx, q.String())) // deleted, or not public any more
	}
	event.Stale = true
	return known.Descriptor.Digest, nil
}

// check asks the registry for a tag, and stores the manifest and the tag.
func (h *Handler) check(ctx context.Context, q query) (digest.Digest, error) {
	d, err := q.upstream.resolve(ctx, q)
	if err != nil {
		return "", err
	}
	q.digest = d
	data, mediaType, err := h.readManifest(ctx, q)
	if err != nil {
		return "", err
	}
	descriptor := ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(data))}
	return d, h.store.SetTag(ctx, store.Tag{Ref: q.String(), Descriptor: descriptor, Checked: h.opts.Now()})
}

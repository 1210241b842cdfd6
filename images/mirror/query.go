package mirror

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// The kinds of content that engines request.
const (
	manifests = "manifests"
	blobs     = "blobs"
)

// query is a request for content.
type query struct {
	upstream *upstream
	kind     string
	name     reference.Named // with the registry
	tag      string          // empty if the digest is given
	digest   digest.Digest
}

func (q query) registry() string   { return reference.Domain(q.name) }
func (q query) repository() string { return reference.Path(q.name) }

// reference returns the tag or the digest.
func (q query) reference() string {
	if q.tag != "" {
		return q.tag
	}
	return q.digest.String()
}

// String returns the full name of the image, such as docker.io/library/nginx:1.27.
func (q query) String() string {
	if q.tag != "" {
		return q.name.Name() + ":" + q.tag
	}
	return q.name.Name() + "@" + q.digest.String()
}

// parse parses a request. It returns an error unless the request is for content of a known registry.
func (h *Handler) parse(path string, values url.Values) (query, error) {
	rest, ok := strings.CutPrefix(path, "/v2/")
	if !ok {
		return query{}, fmt.Errorf("%q is not a path of a registry", path)
	}
	q := query{kind: manifests}
	name, ref, ok := cutLast(rest, "/"+manifests+"/")
	if !ok {
		q.kind = blobs
		name, ref, ok = cutLast(rest, "/"+blobs+"/")
	}
	if !ok {
		return query{}, fmt.Errorf("%q is neither a manifest nor a blob", path)
	}
	registry := values.Get("ns")
	if registry == "" {
		registry, name, _ = strings.Cut(name, "/")
	}
	// containerd adds the query also to the addresses of mirrors that have a path.
	name = strings.TrimPrefix(name, registry+"/")
	if q.upstream = h.upstreams[registry]; q.upstream == nil {
		return query{}, fmt.Errorf("the registry %q is not cached", registry)
	}
	if registry == "docker.io" && !strings.Contains(name, "/") {
		name = "library/" + name
	}
	var err error
	q.name, err = reference.WithName(registry + "/" + name)
	if err != nil || q.registry() != registry || q.repository() != name {
		return query{}, fmt.Errorf("%q is not the name of a repository", name)
	}
	return q, q.refer(ref)
}

// refer sets the tag or the digest.
func (q *query) refer(ref string) error {
	if q.kind == blobs || strings.Contains(ref, ":") {
		q.digest = digest.Digest(ref)
		if err := q.digest.Validate(); err != nil || q.digest.Algorithm() != digest.SHA256 {
			return fmt.Errorf("%q is not a SHA-256 digest", ref)
		}
		return nil
	}
	if _, err := reference.WithTag(q.name, ref); err != nil {
		return fmt.Errorf("%q is not a tag", ref)
	}
	q.tag = ref
	return nil
}

// cutLast is [strings.Cut] at the last separator.
func cutLast(s, separator string) (before, after string, found bool) {
	i := strings.LastIndex(s, separator)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(separator):], true
}

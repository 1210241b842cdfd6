package charts

import (
	"context"
	"encoding/json"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"

	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Artifact returns the content of an OCI artifact with one layer of at most limit bytes, and the digest of its
// manifest. reference is oci://HOST/PATH:TAG or oci://HOST/PATH@DIGEST. The registry is asked as for charts. Errors:
// ErrInvalid for another reference, for an artifact with several layers, and for one that is too large; ErrNotFound;
// ErrUnavailable.
func (s *Store) Artifact(ctx context.Context, reference string, limit int64) (data []byte, digest string, err error) {
	client, err := s.client(download.Options{})
	if err != nil {
		return nil, "", err
	}
	address, user, err := withoutUser(reference)
	if err != nil {
		return nil, "", err
	}
	named, err := registry.ParseReference(strings.TrimPrefix(address, "oci://"))
	if err != nil || named.Reference == "" {
		err := fault.Errorf(fault.ErrInvalid, "%q names no version", fault.Redact(reference))
		return nil, "", fault.WithHint(err, "write oci://HOST/PATH:TAG or oci://HOST/PATH@sha256:DIGEST")
	}
	from, known := s.open(client, named, user)
	err = client.Retry(ctx, func() (err error) {
		data, digest, err = onlyLayer(ctx, from, named.Reference, limit)
		return registryError(err, named.Registry, known)
	})
	return data, digest, err
}

// onlyLayer returns the only layer of an artifact.
func onlyLayer(ctx context.Context, from *remote.Repository, reference string, limit int64) ([]byte, string, error) {
	d, text, err := manifestOf(ctx, from, reference)
	if err != nil {
		return nil, "", err
	}
	var manifest ocispec.Manifest
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, "", fault.Errorf(fault.ErrInvalid, "cannot read its manifest: %w", err)
	}
	if n := len(manifest.Layers); n != 1 {
		err := fault.Errorf(fault.ErrInvalid, "the artifact has %d layers, and must have one", n)
		return nil, "", fault.WithHint(err, "push one directory: oras push HOST/PATH:TAG DIR")
	}
	if manifest.Layers[0].Size > limit {
		return nil, "", fault.Errorf(fault.ErrInvalid, "the artifact is larger than %s", event.Size(limit))
	}
	data, err := content.FetchAll(ctx, from, manifest.Layers[0])
	return data, d.Digest.String(), err
}

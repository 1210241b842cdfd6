package bundles

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/distribution/reference"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/clusterlab-dev/lab/images/store"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// fromRegistry copies an image from its registry into the store, for one platform, with the credentials that
// `docker login` stored. It skips content that is stored already.
func (c *collector) fromRegistry(ctx context.Context, name string, step *event.Step) (ocispec.Descriptor, error) {
	from, tag, err := c.repository(name)
	if err != nil {
		return ocispec.Descriptor{}, err
	}
	platform := c.platform()
	d, err := oras.Resolve(ctx, from, tag, oras.ResolveOptions{TargetPlatform: &platform})
	if err != nil {
		return d, registryError(name, from.Reference.Registry, err)
	}
	options := oras.DefaultCopyGraphOptions
	options.PostCopy = func(_ context.Context, d ocispec.Descriptor) error {
		step.Progress(event.Size(d.Size))
		return nil
	}
	if err := oras.CopyGraph(ctx, from, whole{c.Store}, d, options); err != nil {
		return d, registryError(name, from.Reference.Registry, noRoom(err))
	}
	return d, c.use(ctx, d)
}

// whole is a store that has a manifest only if it has everything below it. A copy asks for nothing below a manifest
// that exists.
type whole struct{ *store.Store }

// Exists implements [oras.ReadOnlyGraphStorage].
func (w whole) Exists(ctx context.Context, d ocispec.Descriptor) (bool, error) {
	exists, err := w.Store.Exists(ctx, d)
	if err != nil || !exists {
		return false, err
	}
	missing, err := w.Missing(ctx, d)
	return err == nil && len(missing) == 0, ctx.Err()
}

// use protects what is stored below a manifest from removal.
func (c *collector) use(ctx context.Context, root ocispec.Descriptor) error {
	all, err := tree(ctx, c.Store, root)
	if err != nil {
		return err
	}
	for _, d := range all {
		if exists, err := c.Store.Exists(ctx, d); err != nil || !exists {
			return errors.Join(err, removedMeanwhile(c.bundle.Name))
		}
	}
	return nil
}

// repository returns the repository of an image, and its digest or tag.
func (c *collector) repository(name string) (*remote.Repository, string, error) {
	named, err := reference.ParseNormalizedNamed(name)
	if err != nil {
		return nil, "", fault.Errorf(fault.ErrInvalid, "%q is not the name of an image: %w", name, err)
	}
	host := reference.Domain(named)
	if mirror := c.Registries[host]; mirror != "" {
		host = mirror
	}
	from, err := remote.NewRepository(host + "/" + reference.Path(named))
	if err != nil {
		return nil, "", fault.Errorf(fault.ErrInvalid, "%q is not the name of an image: %w", name, err)
	}
	client, err := c.Client(c.q.CA)
	if err != nil {
		return nil, "", err
	}
	from.PlainHTTP = onThisMachine(from.Reference.Host())
	login := &auth.Client{Client: client.HTTP, Cache: auth.NewCache()}
	if stored, err := credentials.NewStoreFromDocker(credentials.StoreOptions{}); err == nil {
		login.Credential = credentials.Credential(stored)
	}
	from.Client = login
	if digested, ok := named.(reference.Digested); ok {
		return from, digested.Digest().String(), nil
	}
	tag := "latest"
	if tagged, ok := named.(reference.Tagged); ok {
		tag = tagged.Tag()
	}
	return from, tag, nil
}

// onThisMachine reports whether a registry is on this machine. lab accesses those without TLS, as docker does.
func onThisMachine(host string) bool {
	u := url.URL{Host: host}
	return u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
}

func registryError(image, host string, err error) error {
	answer, _ := errors.AsType[*errcode.ErrorResponse](err)
	pull := "pull the image where the registry is reachable, and create the bundle again: docker pull " + image
	switch {
	case errors.Is(err, fault.ErrUnavailable), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault.WithHint(err, "%s", orHint(err, pull))
	case errors.Is(err, errdef.ErrNotFound), answer != nil && answer.StatusCode == http.StatusNotFound:
		err := fault.Errorf(fault.ErrNotFound, "neither the container engine nor the registry %s has the image %s for this platform", host, image)
		return fault.WithHint(err, "check the name of the image")
	case answer != nil && (answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden):
		err := fault.Errorf(fault.ErrUnavailable, "the registry of %s requires authentication: %w", image, err)
		return fault.WithHint(err, "log in: docker login %s", host)
	}
	return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "cannot fetch %s: %s", image, strings.TrimSpace(err.Error())), "%s", pull)
}

func orHint(err error, hint string) string {
	if first := fault.HintOf(err); first != "" {
		return first
	}
	return hint
}

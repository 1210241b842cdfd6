package charts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"helm.sh/helm/v3/pkg/registry"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	ociregistry "oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const maxManifest = 4 << 20 // what registries take, in bytes

// fromRegistry pulls a chart as the user that docker or helm are logged in as, else as an
// anonymous one. What it returns is what the manifest says, verified by digest.
func (s *Store) fromRegistry(ctx context.Context, c addons.Chart) ([]byte, error) {
	client, err := s.client(download.Options{})
	if err != nil {
		return nil, err
	}
	address, user, err := withoutUser(c.OCI)
	if err != nil {
		return nil, err
	}
	named, err := ociregistry.ParseReference(strings.TrimPrefix(address, "oci://"))
	if err != nil {
		return nil, fault.Errorf(fault.ErrInvalid, "%w", err)
	}
	from, known := s.open(client, named, user)
	var data []byte
	err = client.Retry(ctx, func() (err error) {
		data, err = chartOf(ctx, from, strings.ReplaceAll(c.Version, "+", "_")) // which tags cannot have
		return registryError(err, named.Registry, known)
	})
	return data, err
}

// open returns a repository of a registry, and the credentials for it.
func (s *Store) open(client download.Client, named ociregistry.Reference, user *url.Userinfo) (*remote.Repository, *logins) {
	known := &logins{opts: s.opts, host: named.Host(), user: user}
	return &remote.Repository{
		Reference: named,
		PlainHTTP: onThisMachine(named.Host()),
		Client:    &auth.Client{Client: client.HTTP, Cache: auth.NewCache(), Credential: known.credential},
	}, known
}

// manifestOf returns the manifest that a tag or digest names.
func manifestOf(ctx context.Context, from *remote.Repository, reference string) (ocispec.Descriptor, []byte, error) {
	d, body, err := from.FetchReference(ctx, reference)
	if err != nil {
		return d, nil, err
	}
	defer func() { _ = body.Close() }()
	if d.Size > maxManifest {
		return d, nil, fault.Errorf(fault.ErrInvalid, "its manifest is larger than %s", event.Size(maxManifest))
	}
	text, err := content.ReadAll(body, d)
	return d, text, err
}

// chartOf returns the chart that a tag names.
func chartOf(ctx context.Context, from *remote.Repository, tag string) ([]byte, error) {
	_, text, err := manifestOf(ctx, from, tag)
	if err != nil {
		return nil, err
	}
	var manifest ocispec.Manifest
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, fault.Errorf(fault.ErrInvalid, "cannot read its manifest: %w", err)
	}
	for _, layer := range manifest.Layers {
		switch {
		case layer.MediaType != registry.ChartLayerMediaType && layer.MediaType != registry.LegacyChartLayerMediaType:
			continue
		case layer.Size > maxChart:
			return nil, fault.Errorf(fault.ErrInvalid, "it is larger than %s", event.Size(maxChart))
		}
		return content.FetchAll(ctx, from, layer)
	}
	return nil, fault.Errorf(fault.ErrInvalid, "it is not a Helm chart: its manifest names none")
}

// registryError gives an error of a registry a kind and a hint.
func registryError(err error, host string, known *logins) error {
	answer, _ := errors.AsType[*errcode.ErrorResponse](err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, content.ErrMismatchedDigest):
		return fault.Errorf(fault.ErrInvalid, "it arrived damaged: %w", err)
	case errors.Is(err, errdef.ErrNotFound), answer != nil && answer.StatusCode == http.StatusNotFound:
		return fault.Errorf(fault.ErrNotFound, "the registry has no such chart, or not in that version")
	case errors.Is(err, auth.ErrBasicCredentialNotFound), answer != nil && answer.StatusCode == http.StatusUnauthorized:
		return known.denied("the registry requires authentication", host)
	case answer != nil && answer.StatusCode == http.StatusForbidden:
		return known.denied("the registry denies access (403 Forbidden)", host)
	case answer != nil && len(answer.Errors) > 0:
		return fault.Errorf(fault.ErrUnavailable, "the registry answers %d: %w", answer.StatusCode, answer.Errors)
	case answer != nil:
		return fault.Errorf(fault.ErrUnavailable, "the registry answers %d %s", answer.StatusCode, http.StatusText(answer.StatusCode))
	}
	return err
}

// withoutUser returns a URL without its user name and password, and these, which are nil where
// it has none. It returns ErrInvalid for what is not a URL.
func withoutUser(address string) (string, *url.Userinfo, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", nil, fault.Errorf(fault.ErrInvalid, "%s is not a URL", fault.Redact(address))
	}
	user := u.User
	u.User = nil
	return u.String(), user, nil
}

// onThisMachine tells registries that lab asks without TLS, as docker and helm do: those for
// trials have no certificate.
func onThisMachine(host string) bool {
	u := url.URL{Host: host}
	return u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
}

func basic(user *url.Userinfo) auth.Credential {
	password, _ := user.Password()
	return auth.Credential{Username: user.Username(), Password: password}
}

// denied is the error of a registry that wants other credentials than it was given.
func (l *logins) denied(what, host string) error {
	if l.problem != nil {
		what += fmt.Sprintf(", and the stored credentials cannot be read: %s", fault.Redact(l.problem.Error()))
	}
	return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "%s", what), "log in with the tool that you use: docker login %s, or: helm registry login %s", host, host)
}

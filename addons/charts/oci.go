package charts

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/providers"
)

const (
	manifestType = "application/vnd.oci.image.manifest.v1+json"
	layerType    = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
)

// manifest is as much of an OCI image manifest as there is to know.
type manifest struct {
	Layers []struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
	} `json:"layers"`
}

// fromRegistry pulls a chart as an anonymous user. What it returns is what the manifest
// says, checked by digest.
func (p *puller) fromRegistry(ctx context.Context, c addons.Chart) ([]byte, error) {
	host, repository, ok := strings.Cut(strings.TrimPrefix(c.OCI, "oci://"), "/")
	if !ok || host == "" || repository == "" {
		return nil, providers.Errorf(providers.ErrInvalid, "%q is not oci://HOST/PATH", c.OCI)
	}
	base := scheme(host) + "://" + host + "/v2/" + repository
	tag := strings.ReplaceAll(c.Version, "+", "_") // which tags cannot have
	data, err := p.fromRegistryAs(ctx, base+"/manifests/"+tag, repository, http.Header{"Accept": {manifestType}})
	if err != nil {
		return nil, err
	}
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, providers.Errorf(providers.ErrInvalid, "its manifest cannot be read: %w", err)
	}
	for _, layer := range m.Layers {
		if layer.MediaType != layerType {
			continue
		}
		data, err := p.fromRegistryAs(ctx, base+"/blobs/"+layer.Digest, repository, http.Header{})
		if err == nil {
			err = verify(data, layer.Digest)
		}
		return data, err
	}
	return nil, providers.Errorf(providers.ErrInvalid, "there is no chart in it")
}

// fromRegistryAs asks once without a token and, where the registry wants one, again with.
func (p *puller) fromRegistryAs(ctx context.Context, url, repository string, header http.Header) ([]byte, error) {
	for range 2 {
		if token := p.tokens[repository]; token != "" {
			header.Set("Authorization", "Bearer "+token)
		}
		data, resp, err := p.Get(ctx, download.Request{URL: url, Header: header, Limit: maxChart})
		if err != nil || resp.StatusCode != http.StatusUnauthorized {
			return data, err
		}
		if p.tokens[repository], err = p.token(ctx, resp.Header.Get("WWW-Authenticate")); err != nil {
			return nil, err
		}
	}
	return nil, providers.Errorf(providers.ErrUnavailable, "%s: the registry lets nobody in without a name", url)
}

// token answers a registry's challenge, as everybody may.
func (p *puller) token(ctx context.Context, challenge string) (string, error) {
	fields := map[string]string{}
	for _, m := range regexp.MustCompile(`(\w+)="([^"]*)"`).FindAllStringSubmatch(challenge, -1) {
		fields[m[1]] = m[2]
	}
	if !strings.HasPrefix(challenge, "Bearer ") || fields["realm"] == "" {
		return "", providers.Errorf(providers.ErrUnavailable, "the registry wants a name and a password, and lab has none")
	}
	ask := url.Values{}
	for _, key := range []string{"service", "scope"} {
		if fields[key] != "" {
			ask.Set(key, fields[key])
		}
	}
	data, _, err := p.Get(ctx, download.Request{URL: fields["realm"] + "?" + ask.Encode(), Limit: 1 << 20})
	if err != nil {
		return "", err
	}
	var answer struct {
		Token       string `json:"token"`
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return "", providers.Errorf(providers.ErrUnavailable, "the registry's token cannot be read: %w", err)
	}
	if answer.Token != "" {
		return answer.Token, nil
	}
	return answer.AccessToken, nil
}

// scheme is https but for this machine, where registries for trials have no certificate.
func scheme(host string) string {
	name, _, _ := strings.Cut(host, ":")
	if name == "localhost" || name == "127.0.0.1" {
		return "http"
	}
	return "https"
}

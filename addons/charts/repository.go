package charts

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/providers"
)

// index is as much of a repository's index as there is to know.
type index struct {
	Entries map[string][]struct {
		Version string   `json:"version"`
		Digest  string   `json:"digest"`
		URLs    []string `json:"urls"`
	} `json:"entries"`
}

// fromRepository gets a chart from an HTTP repository.
func (p *puller) fromRepository(ctx context.Context, c addons.Chart) ([]byte, error) {
	base, err := url.Parse(strings.TrimSuffix(c.Repository, "/") + "/")
	if err != nil {
		return nil, providers.Errorf(providers.ErrInvalid, "%w", err)
	}
	data, err := p.getPlain(ctx, base.JoinPath("index.yaml").String(), maxIndex)
	if err != nil {
		return nil, err
	}
	var all index
	if err := yaml.Unmarshal(data, &all); err != nil {
		return nil, providers.Errorf(providers.ErrInvalid, "the index of the repository cannot be read: %w", err)
	}
	for _, entry := range all.Entries[c.Name] {
		if entry.Version != c.Version || len(entry.URLs) == 0 {
			continue
		}
		at, err := base.Parse(entry.URLs[0])
		if err != nil {
			return nil, providers.Errorf(providers.ErrInvalid, "the index of the repository: %w", err)
		}
		data, err := p.getPlain(ctx, at.String(), maxChart)
		if err == nil && entry.Digest != "" {
			err = verify(data, "sha256:"+strings.TrimPrefix(entry.Digest, "sha256:"))
		}
		return data, err
	}
	return nil, providers.Errorf(providers.ErrNotFound, "the repository has no chart %q of version %s", c.Name, c.Version)
}

func (p *puller) getPlain(ctx context.Context, url string, limit int64) ([]byte, error) {
	data, resp, err := p.Get(ctx, download.Request{URL: url, Limit: limit})
	if err == nil && resp.StatusCode == http.StatusUnauthorized {
		err = providers.Errorf(providers.ErrUnavailable, "%s: %s", url, resp.Status)
	}
	return data, err
}

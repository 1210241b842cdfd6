package charts

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"helm.sh/helm/v3/pkg/repo"
	"sigs.k8s.io/yaml"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/download"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const maxIndex = 100 << 20 // in bytes; the index of a large repository has tens of megabytes

// index is the part of a repository's index that lab reads.
type index struct {
	Entries map[string][]struct {
		Version string   `json:"version"`
		Digest  string   `json:"digest"`
		URLs    []string `json:"urls"`
	} `json:"entries"`
}

// repository is an HTTP repository and its clients.
type repository struct {
	base    *url.URL        // without user name and password
	user    *url.Userinfo   // may be nil
	passAll bool            // whether user is also for other servers that the index names
	client  download.Client // for the server of base
	other   download.Client // for other servers: it has no client certificate
	problem error           // why helm's entry for it could not be read
}

// fromRepository downloads a chart from an HTTP repository, with the credentials of its URL or of
// helm's entry.
func (s *Store) fromRepository(ctx context.Context, c addons.Chart) ([]byte, error) {
	r, err := s.repository(c.Repository)
	if err != nil {
		return nil, err
	}
	data, err := r.get(ctx, r.base.JoinPath("index.yaml"), maxIndex)
	if err != nil {
		return nil, err
	}
	var all index
	if err := yaml.Unmarshal(data, &all); err != nil {
		return nil, fault.Errorf(fault.ErrInvalid, "cannot read the index of the repository: %w", err)
	}
	for _, entry := range all.Entries[c.Name] {
		if entry.Version != c.Version || len(entry.URLs) == 0 {
			continue
		}
		at, err := r.resolve(entry.URLs[0])
		if err != nil {
			return nil, err
		}
		data, err := r.get(ctx, at, maxChart)
		if err == nil && entry.Digest != "" {
			err = verify(data, "sha256:"+strings.TrimPrefix(entry.Digest, "sha256:"))
		}
		return data, err
	}
	return nil, fault.Errorf(fault.ErrNotFound, "the repository has no chart %q of version %s", c.Name, c.Version)
}

func (s *Store) repository(address string) (repository, error) {
	clean, user, err := withoutUser(address)
	if err != nil {
		return repository{}, err
	}
	base, err := url.Parse(clean)
	if err != nil {
		return repository{}, err
	}
	r := repository{base: base, user: user}
	known, err := s.entry(base)
	r.problem = err
	if known == nil {
		known = &repo.Entry{}
	}
	if r.user == nil && known.Username != "" {
		r.user, r.passAll = url.UserPassword(known.Username, known.Password), known.PassCredentialsAll
	}
	o := download.Options{CAFiles: []string{known.CAFile}, Insecure: known.InsecureSkipTLSverify}
	if r.other, err = s.client(o); err != nil {
		return repository{}, err
	}
	o.CertFile, o.KeyFile = known.CertFile, known.KeyFile
	r.client, err = s.client(o)
	return r, err
}

// resolve returns the absolute URL for a URL of an index.
func (r repository) resolve(text string) (*url.URL, error) {
	absolute, err := repo.ResolveReferenceURL(r.base.String(), text)
	if err != nil {
		return nil, fault.Errorf(fault.ErrInvalid, "the index of the repository names %s, which is not a URL", fault.Redact(text))
	}
	return url.Parse(absolute)
}

// get downloads a URL. It sends the credentials only to the server of the repository, because an
// index can name any server, unless helm's entry says otherwise.
func (r repository) get(ctx context.Context, at *url.URL, limit int64) ([]byte, error) {
	clean := *at
	clean.User = nil
	user, client := at.User, r.other
	if sameOrigin(at, r.base) {
		client = r.client
	}
	if user == nil && (sameOrigin(at, r.base) || r.passAll) {
		user = r.user
	}
	header := http.Header{}
	if user != nil {
		password, _ := user.Password()
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	data, err := client.Get(ctx, download.Request{URL: clean.String(), Header: header, Limit: limit})
	if answer, ok := errors.AsType[*download.StatusError](err); ok && (answer.Code == http.StatusUnauthorized || answer.Code == http.StatusForbidden) {
		return nil, unauthorized(r.problem, r.base, err)
	}
	return data, err
}

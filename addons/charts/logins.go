package charts

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"helm.sh/helm/v3/pkg/cli"
	"helm.sh/helm/v3/pkg/repo"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// logins finds credentials for registries in the files of docker and helm, including credential
// helpers. A file that cannot be read is an error only if a registry requires credentials.
type logins struct {
	opts    Options
	host    string        // of the registry
	user    *url.Userinfo // of the chart's URL; overrides stored credentials; may be nil
	problem error         // the last error of a file
}

// credential returns the credentials for a host. oras calls it if a registry requires them.
func (l *logins) credential(ctx context.Context, host string) (auth.Credential, error) {
	if l.user != nil && host == l.host {
		return basic(l.user), nil
	}
	var none credentials.StoreOptions
	helm, helmErr := credentials.NewStore(cmp.Or(l.opts.RegistryConfig, cli.New().RegistryConfig), none)
	docker, dockerErr := credentials.NewStoreFromDocker(none)
	if l.opts.DockerConfig != "" {
		docker, dockerErr = credentials.NewStore(l.opts.DockerConfig, none)
	}
	l.problem = nil
	if helmErr == nil {
		found, err := credentials.Credential(helm)(ctx, host)
		if err == nil && found != auth.EmptyCredential {
			return found, nil
		}
		helmErr = err
	}
	if dockerErr == nil {
		found, err := credentials.Credential(docker)(ctx, host)
		if err == nil && found != auth.EmptyCredential {
			return found, nil
		}
		dockerErr = err
	}
	l.problem = errors.Join(helmErr, dockerErr)
	return auth.EmptyCredential, nil
}

// entry returns helm's entry for a repository, from `helm repo add`, or nil.
func (s *Store) entry(base *url.URL) (*repo.Entry, error) {
	file := cmp.Or(s.opts.RepositoryConfig, cli.New().RepositoryConfig)
	known, err := repo.LoadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the repositories of helm: %w", err)
	}
	for _, e := range known.Repositories {
		if u, err := url.Parse(e.URL); err == nil && sameOrigin(u, base) && strings.Trim(u.Path, "/") == strings.Trim(base.Path, "/") {
			return e, nil
		}
	}
	return nil, nil
}

// sameOrigin reports whether two URLs have the same server.
func sameOrigin(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		return cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	return strings.EqualFold(a.Scheme, b.Scheme) && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}

// unauthorized returns the error for a repository that rejects the credentials.
func unauthorized(problem error, u *url.URL, err error) error {
	if problem != nil {
		err = fmt.Errorf("%w, and %s", err, fault.Redact(problem.Error()))
	}
	return fault.WithHint(err, "store your credentials: helm repo add NAME %s --username USER --password-stdin", u)
}

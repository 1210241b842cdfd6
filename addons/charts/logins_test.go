package charts_test

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/addons/charts"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const login = "robot:S3cret"

// file writes a text to a new file, and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	write(t, path, text)
	return path
}

// stored is a configuration of docker or helm with credentials for a registry.
func stored(host string) string {
	return fmt.Sprintf(`{"auths": {%q: {"auth": "cm9ib3Q6UzNjcmV0"}}}`, host)
}

// added is what helm keeps of a repository after `helm repo add`.
func added(url, more string) string {
	return fmt.Sprintf("apiVersion: v1\nrepositories:\n- {name: shop, url: %q, username: robot, password: S3cret%s}\n", url, more)
}

// TestLogin: a registry and a repository that require authentication get the credentials that
// docker or helm keep, or those of the URL, and name the login command if there are no credentials.
func TestLogin(t *testing.T) {
	t.Parallel()
	for what, set := range map[string]func(o *charts.Options, c *addons.Chart, host string){
		"docker": func(o *charts.Options, _ *addons.Chart, host string) { o.DockerConfig = file(t, stored(host)) },
		"helm":   func(o *charts.Options, _ *addons.Chart, host string) { o.RegistryConfig = file(t, stored(host)) },
		"URL": func(_ *charts.Options, c *addons.Chart, host string) {
			c.OCI = strings.Replace(c.OCI, host, login+"@"+host, 1)
		},
		"no user":      nil,
		"another host": func(o *charts.Options, _ *addons.Chart, _ string) { o.DockerConfig = file(t, stored("elsewhere:5000")) },
		"broken file":  func(o *charts.Options, _ *addons.Chart, _ string) { o.DockerConfig = file(t, "{") },
		"missing program": func(o *charts.Options, _ *addons.Chart, _ string) {
			o.DockerConfig = file(t, `{"credsStore": "none-of-that-name"}`)
		},
	} {
		for _, token := range []string{"", "open sesame"} {
			t.Run(what+" "+token, func(t *testing.T) {
				t.Parallel()
				s, url := serve(t)
				c, o := sources(url)["registry"], options(t.TempDir(), false)
				if set != nil {
					set(&o, &c, strings.TrimPrefix(url, "http://"))
				}
				s.SetFaults(addontest.Faults{Token: token})
				want(t, charts.New(o), c, "a chart") // needs none
				o.Dir = t.TempDir()
				s.SetFaults(addontest.Faults{Token: token, Login: login})
				switch what {
				case "docker", "helm", "URL":
					want(t, charts.New(o), c, "a chart")
				case "broken file":
					refuses(t, charts.New(o), c, fault.ErrUnavailable, "authentication", "cannot be read", "docker login")
				case "missing program":
					refuses(t, charts.New(o), c, fault.ErrUnavailable, "authentication", "docker-credential-none-of-that-name", "docker login")
				default:
					refuses(t, charts.New(o), c, fault.ErrUnavailable, "requires authentication", "docker login 127.0.0.1", "helm registry login 127.0.0.1")
				}
			})
		}
	}
}

// TestHelper: a credential helper is asked, where docker's configuration names one.
func TestHelper(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the helper is a shell script")
	}
	bin := t.TempDir()
	write(t, filepath.Join(bin, "docker-credential-trial"), "#!/bin/sh\necho '{\"Username\": \"robot\", \"Secret\": \"S3cret\"}'\n")
	if err := os.Chmod(filepath.Join(bin, "docker-credential-trial"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	s, url := serve(t)
	s.SetFaults(addontest.Faults{Login: login})
	host := strings.TrimPrefix(url, "http://")
	for _, text := range []string{`{"credsStore": "trial"}`, fmt.Sprintf(`{"credHelpers": {%q: "trial"}}`, host)} {
		o := options(t.TempDir(), false)
		o.DockerConfig = file(t, text)
		want(t, charts.New(o), sources(url)["registry"], "a chart")
	}
}

// TestWhereLoginsAre: docker and helm say in the environment where their files are.
func TestWhereLoginsAre(t *testing.T) {
	s, url := serve(t)
	s.SetFaults(addontest.Faults{Login: login})
	dir := t.TempDir()
	for _, name := range []string{"DOCKER_CONFIG", "HELM_REGISTRY_CONFIG", "HELM_REPOSITORY_CONFIG"} {
		t.Setenv(name, filepath.Join(dir, "none"))
	}
	registry, repository := sources(url)["registry"], sources(url)["repository"]
	s1 := func() *charts.Store { return charts.New(charts.Options{Dir: t.TempDir()}) }
	refuses(t, s1(), registry, fault.ErrUnavailable, "requires authentication")
	write(t, filepath.Join(dir, "config.json"), stored(strings.TrimPrefix(url, "http://")))
	t.Setenv("DOCKER_CONFIG", dir)
	want(t, s1(), registry, "a chart")
	t.Setenv("DOCKER_CONFIG", filepath.Join(dir, "none"))
	t.Setenv("HELM_REGISTRY_CONFIG", filepath.Join(dir, "config.json"))
	want(t, s1(), registry, "a chart")
	refuses(t, s1(), repository, fault.ErrUnavailable, "401")
	write(t, filepath.Join(dir, "repositories.yaml"), added(url+"/charts", ""))
	t.Setenv("HELM_REPOSITORY_CONFIG", filepath.Join(dir, "repositories.yaml"))
	want(t, s1(), repository, "a chart")
}

// TestRepositoryLogin: the credentials of a repository go to its server, and to those that
// its index names only where helm was told so.
func TestRepositoryLogin(t *testing.T) {
	t.Parallel()
	s, url := serve(t)
	s.SetFaults(addontest.Faults{Login: login})
	c := sources(url)["repository"]
	get := func(text string, change func(*addons.Chart)) (*charts.Store, addons.Chart) {
		o, c := options(t.TempDir(), false), c
		if text != "" {
			o.RepositoryConfig = file(t, text)
		}
		if change != nil {
			change(&c)
		}
		return charts.New(o), c
	}
	for _, text := range []string{added(url+"/charts", ""), added(url+"/charts/", "")} {
		at, c := get(text, nil)
		want(t, at, c, "a chart")
	}
	at, inURL := get("", func(c *addons.Chart) { c.Repository = strings.Replace(c.Repository, "://", "://"+login+"@", 1) })
	want(t, at, inURL, "a chart")
	at, c = get("", nil)
	refuses(t, at, c, fault.ErrUnavailable, "401", "helm repo add NAME "+url+"/charts")
	at, c = get(added(url+"/elsewhere", ""), nil)
	refuses(t, at, c, fault.ErrUnavailable, "401")
	at, c = get("a: [", nil)
	refuses(t, at, c, fault.ErrUnavailable, "401", "cannot read the repositories of helm")

	var got []string
	archives := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Authorization"))
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(archives.Close)
	s.SetFaults(addontest.Faults{Login: login, Archives: archives.URL + "/charts/"})
	at, c = get(added(url+"/charts", ""), nil)
	refuses(t, at, c, fault.ErrUnavailable, "401")
	if len(got) != 1 || got[0] != "" {
		t.Errorf("another server was sent %q", got)
	}
	at, c = get(added(url+"/charts", ", pass_credentials_all: true"), nil)
	want(t, at, c, "a chart")
}

// TestRepositoryTLS: what helm knows of a repository's certificates counts.
func TestRepositoryTLS(t *testing.T) {
	t.Parallel()
	s, _ := serve(t)
	secure := httptest.NewTLSServer(s)
	t.Cleanup(secure.Close)
	ca := file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})))
	c := addons.Chart{Repository: secure.URL + "/charts", Name: "shop", Version: version}
	for _, more := range []string{", caFile: " + ca, ", insecure_skip_tls_verify: true"} {
		o := options(t.TempDir(), false)
		o.RepositoryConfig = file(t, added(c.Repository, more))
		want(t, charts.New(o), c, "a chart")
	}
	o := options(t.TempDir(), false)
	o.RepositoryConfig = file(t, added(c.Repository, ", certFile: /nowhere, keyFile: /nowhere"))
	refuses(t, charts.New(o), c, fault.ErrInvalid, "client certificate")
}

// TestNoSecret: the credentials of a URL are in no error and in no name of a file, and a
// chart is the same with and without them.
func TestNoSecret(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, s *addontest.Server, c addons.Chart, dir string) {
		public := c
		c.OCI, c.Repository = strings.Replace(c.OCI, "://", "://"+login+"@", 1), strings.Replace(c.Repository, "://", "://"+login+"@", 1)
		check := func(text string) {
			t.Helper()
			for _, secret := range strings.Split(login, ":") {
				if strings.Contains(text, secret) {
					t.Errorf("%q has the secret %q", text, secret)
				}
			}
		}
		refused := func(o charts.Options, c addons.Chart) {
			t.Helper()
			_, err := charts.New(o).Chart(t.Context(), c)
			if err == nil {
				t.Errorf("no error for %s", c)
				return
			}
			check(err.Error() + fault.HintOf(err))
		}
		check(c.String())
		for _, status := range []int{401, 403, 404, 500} {
			s.SetFaults(addontest.Faults{Status: []int{status, status, status, status, status}})
			refused(options(dir, false), c)
		}
		s.SetFaults(addontest.Faults{Login: "someone:else"})
		refused(options(dir, false), c)
		refused(options(dir, true), c)
		s.SetFaults(addontest.Faults{Login: login})
		unreachable, broken := c, c
		unreachable.OCI, broken.OCI = portOne(c.OCI), strings.Replace(c.OCI, login, "robot:S3cret/x", 1)
		unreachable.Repository, broken.Repository = portOne(c.Repository), strings.Replace(c.Repository, login, "robot:S3cret/x", 1)
		refused(options(dir, false), unreachable)
		refused(options(dir, false), broken)
		want(t, store(dir, false), c, "a chart")
		want(t, store(dir, true), public, "a chart")
		s.Put("shop", version, archive("another"))
		remove(t, filepath.Join(dir, strings.ReplaceAll(archive("a chart").Digest, ":", "-")+".tgz"))
		refused(options(dir, false), c)
		err := filepath.Walk(dir, func(path string, _ os.FileInfo, err error) error {
			check(path)
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// portOne is a URL with a port on which nothing listens.
func portOne(url string) string {
	i := strings.LastIndex(url, ":")
	j := strings.Index(url, "/charts")
	if i < 0 || j < 0 {
		return url
	}
	return url[:i] + ":1" + url[j:]
}

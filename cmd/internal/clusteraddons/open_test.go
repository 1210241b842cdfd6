package clusteraddons_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestOpenAddon(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	q := labtest.Request("demo", "hello", "kube-prometheus-stack", "cert-manager", "traefik")
	q.Spec.Ports = []providers.Port{{Host: 8080, Container: 80}, {Host: 18443, Container: 443}}
	c, err := b.Up(t.Context(), q, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"hello": {"http://hello.localhost:8080"}, "traefik": {"http://localhost:8080"},
		"kube-prometheus-stack": {"lab open kube-prometheus-stack --name demo"}, "cert-manager": nil}
	if diff := cmp.Diff(want, ways(c)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	access := func(addon string, secrets bool) clusteraddons.Access {
		t.Helper()
		a, err := b.Addons.Open(t.Context(), "demo", addon, secrets)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	if a := access("hello", false); a.URL != "http://hello.localhost:8080" || a.Forward != nil {
		t.Errorf("%+v", a)
	}
	a := access("kube-prometheus-stack", false)
	if a.URL != "" || a.Forward == nil || a.Password != "" || !a.HasCredentials {
		t.Errorf("%+v", a)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	forwarded := ""
	if err := a.Forward(ctx, func(address string) { forwarded = address; cancel() }); err != nil || forwarded == "" {
		t.Errorf("%q, %v", forwarded, err)
	}
	if a := access("kube-prometheus-stack", true); a.User != "admin" || a.Password != "secret" {
		t.Errorf("%+v", a)
	}
	for addon, kind := range map[string]error{"cert-manager": fault.ErrUnsupported, "ingress-nginx": fault.ErrNotFound} {
		if _, err := b.Addons.Open(t.Context(), "demo", addon, false); !errors.Is(err, kind) {
			t.Errorf("%s: %v, want %v", addon, err, kind)
		}
	}
}

// ways returns the addresses of each addon, or the command that opens it.
func ways(c output.Cluster) map[string][]string {
	all := map[string][]string{}
	for _, a := range c.Addons {
		all[a.Name] = append([]string(nil), a.URLs...)
		if a.Open != "" {
			all[a.Name] = append(all[a.Name], a.Open)
		}
	}
	return all
}

// TestOpenWithoutIngress: an addon has no address if no ingress controller serves the published port.
func TestOpenWithoutIngress(t *testing.T) {
	t.Parallel()
	bundled := labtest.OnNodes()
	bundled.Ingress = true
	for what, test := range map[string]struct {
		traits providers.Traits
		want   []string
	}{
		"none":    {labtest.OnNodes(), []string{"lab open hello"}},
		"bundled": {bundled, []string{"http://hello.localhost:18081"}},
	} {
		b := labtest.WithAddons(t, test.traits)
		q := labtest.Request(inventory.DefaultName, "hello")
		q.Spec.Ports = []providers.Port{{Host: 18081, Container: 80}}
		c, err := b.Up(t.Context(), q, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, ways(c)["hello"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
		a, err := b.Addons.Open(t.Context(), inventory.DefaultName, "hello", false)
		if err != nil || (a.Forward != nil) != (what == "none") {
			t.Errorf("%s: %+v, %v", what, a, err)
		}
	}
}

// TestSimulatedAddons: addons of a cluster without pods are shown as simulated, and cannot be opened.
func TestSimulatedAddons(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, providers.Traits{})
	c := b.MustUp(t, "demo", "hello", "ingress-nginx")
	for _, a := range c.Addons {
		if !a.Simulated || len(a.URLs) > 0 || a.Open != "" {
			t.Errorf("%+v", a)
		}
	}
	if _, err := b.Addons.Open(t.Context(), "demo", "hello", false); !errors.Is(err, fault.ErrUnsupported) {
		t.Errorf("%v", err)
	}
}

// TestOwnIngress: addons have addresses if an ingress controller that is not managed by lab provides the
// ingress or is seen to serve it.
func TestOwnIngress(t *testing.T) {
	t.Parallel()
	for how, serve := range map[string]func(labtest.Bench) []string{
		"it says so": func(b labtest.Bench) []string {
			b.Define(t, "gate", "name: gate\nprovides: [ingress]\nchart: {path: ./gate}\n")
			return []string{"gate", "hello"}
		},
		"it is seen": func(b labtest.Bench) []string {
			if err := b.Fake.ServeIngress(); err != nil {
				t.Error(err)
			}
			return []string{"hello"}
		},
		"none": func(labtest.Bench) []string { return []string{"hello"} },
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			b := labtest.WithAddons(t, labtest.OnNodes())
			q := labtest.Request("demo", serve(b)...)
			q.Spec.Ports = []providers.Port{{Host: 18080, Container: 80}}
			c, err := b.Up(t.Context(), q, nil)
			if err != nil {
				t.Fatal(err)
			}
			hello := c.Addons[len(c.Addons)-1]
			access, err := b.Addons.Open(t.Context(), "demo", "hello", false)
			if err != nil {
				t.Fatal(err)
			}
			want := []string{"http://hello.localhost:18080"}
			if how == "none" {
				want = []string{}
			}
			if !slices.Equal(hello.URLs, want) || (access.URL == "") != (len(want) == 0) {
				t.Errorf("status shows %q, and open %q; want %q", hello.URLs, access.URL, want)
			}
		})
	}
}

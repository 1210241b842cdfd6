package lab_test

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/providers"
)

func itoa(n int) string { return strconv.Itoa(n) }

func TestOpenAddon(t *testing.T) {
	t.Parallel()
	b := newAddonBench(t, onNodes())
	q := with("demo", "hello", "kube-prometheus-stack", "cert-manager")
	q.Spec.Ports = []providers.Port{{Host: 8080, Container: 80}}
	c, err := b.Up(t.Context(), q, nil)
	if err != nil {
		t.Fatal(err)
	}
	urls := map[string][]string{}
	for _, a := range c.Addons {
		urls[a.Name] = a.URLs
	}
	want := map[string][]string{"hello": {"http://hello.localhost:8080"}, "kube-prometheus-stack": {}, "cert-manager": {}}
	if diff := cmp.Diff(want, urls); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	access := func(addon string, secrets bool) lab.Access {
		t.Helper()
		a, err := b.OpenAddon(t.Context(), "demo", addon, secrets)
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
	for addon, kind := range map[string]error{"cert-manager": providers.ErrUnsupported, "traefik": providers.ErrNotFound} {
		if _, err := b.OpenAddon(t.Context(), "demo", addon, false); !errors.Is(err, kind) {
			t.Errorf("%s: %v, want %v", addon, err, kind)
		}
	}
}

// TestSimulatedAddons: they are there, it is said that they are simulated, and there is
// nothing to open.
func TestSimulatedAddons(t *testing.T) {
	t.Parallel()
	b := newAddonBench(t, providers.Traits{})
	c := b.upWith(t, "demo", "hello", "ingress-nginx")
	for _, a := range c.Addons {
		if !a.Simulated || len(a.URLs) > 0 {
			t.Errorf("%+v", a)
		}
	}
	if _, err := b.OpenAddon(t.Context(), "demo", "hello", false); !errors.Is(err, providers.ErrUnsupported) {
		t.Errorf("%v", err)
	}
}

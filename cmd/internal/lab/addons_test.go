package lab_test

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestUpWithAddons(t *testing.T) {
	t.Parallel()
	b := newAddonBench(t, onNodes())
	b.own(t, "shop", "name: shop\nchart: {path: ./shop}\nneeds: [cert-manager]\n")
	c := b.upWith(t, "demo", "shop", "hello")
	want := map[string]addons.State{"shop": addons.StateReady, "cert-manager": addons.StateReady, "hello": addons.StateReady}
	if diff := cmp.Diff(want, states(c)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := c.Ready(); err != nil {
		t.Error(err)
	}
	c = b.upWith(t, "demo")
	if diff := cmp.Diff(want, states(c)); diff != "" {
		t.Errorf("a second up (-want +got):\n%s", diff)
	}
}

// TestChartsAreReadFirst: a broken chart on this machine is found before a cluster is created,
// and in a dry run. Other charts are not downloaded for that.
func TestChartsAreReadFirst(t *testing.T) {
	t.Parallel()
	b := newAddonBench(t, onNodes())
	b.own(t, "shop", "name: shop\nchart: {path: ./shop}\n")
	b.Addons.Source = func(offline bool, _ []byte) addons.Source { return brokenSource{offline} }
	for _, do := range []func() error{
		func() error { _, err := b.Plan(t.Context(), with("demo", "shop", "cert-manager")); return err },
		func() error { _, err := b.Up(t.Context(), with("demo", "shop", "cert-manager"), nil); return err },
	} {
		err := do()
		if wantIs(t, err, fault.ErrInvalid); err == nil || !strings.Contains(err.Error(), "addon shop: it is a library") || fault.HintOf(err) != "use another" {
			t.Errorf("%v; %s", err, fault.HintOf(err))
		}
	}
	if all := b.clusters(t); len(all) > 0 {
		t.Errorf("there is %v", all)
	}
}

// brokenSource has no chart that can be installed, and must not be asked for those of others.
type brokenSource struct{ offline bool }

func (s brokenSource) Chart(_ context.Context, c addons.Chart) (addons.Archive, error) {
	if c.Path == "" || !s.offline {
		return addons.Archive{}, errors.New("the network was used for " + c.String())
	}
	return addons.Archive{}, fault.WithHint(fault.Errorf(fault.ErrInvalid, "it is a library"), "use another")
}

// TestAddonsAsk: what an addon asks of the cluster is asked when that is made.
func TestAddonsAsk(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	taken := busy.Addr().(*net.TCPAddr).Port
	b := newAddonBench(t, onNodes())
	b.own(t, "web", "name: web\nchart: {path: ./web}\nasks: {ports: ["+itoa(taken)+", 8443], noIngress: true, controlPlaneMetrics: true}\naccess: {host: web.localhost}\n")
	q := with("demo", "web")
	q.Spec.Ports = []providers.Port{{Host: 9443, Container: 8443}}
	plan, err := b.Plan(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"web"}, plan.Addons); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := (providers.Wants{NoIngress: true, ControlPlaneMetrics: true}); plan.Spec.Wants != want {
		t.Errorf("wants %+v", plan.Spec.Wants)
	}
	ports := plan.Spec.Ports
	if len(ports) != 2 || ports[0].Host != 9443 || ports[1].Container != taken || ports[1].Host == taken || ports[1].Host == 0 {
		t.Errorf("ports %v; want the one asked for, and a free one in place of %d", ports, taken)
	}
	simulated := newAddonBench(t, providers.Traits{})
	simulated.own(t, "web", "name: web\nchart: {path: ./web}\nasks: {ports: [8443], noIngress: true}\n")
	plan, err = simulated.Plan(t.Context(), with("demo", "web"))
	if err != nil || len(plan.Spec.Ports) > 0 || plan.Spec.Wants != (providers.Wants{}) {
		t.Errorf("where no pods run it asks for %v %+v, %v", plan.Spec.Ports, plan.Spec.Wants, err)
	}
}

// TestClusterLacks: an addon that comes too late says what is missing, and changes nothing.
func TestClusterLacks(t *testing.T) {
	t.Parallel()
	b := newAddonBench(t, onNodes())
	b.upWith(t, "demo")
	_, err := b.InstallAddons(t.Context(), "demo", lab.AddonRequest{Names: []string{"traefik"}}, nil)
	if !errors.Is(err, fault.ErrExists) || !strings.Contains(err.Error(), "port 80") || !strings.Contains(fault.HintOf(err), "--addon traefik --recreate") {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
	if _, err := b.Up(t.Context(), with("demo", "traefik"), nil); !errors.Is(err, fault.ErrExists) {
		t.Errorf("up: %v", err)
	}
	bundled := newAddonBench(t, providers.Traits{RunsPods: true, MetricsServer: true, Ingress: true})
	bundled.upWith(t, "demo")
	for addon, own := range map[string]string{"metrics-server": "a metrics-server", "traefik": "an ingress controller"} {
		_, err = bundled.InstallAddons(t.Context(), "demo", lab.AddonRequest{Names: []string{addon}}, nil)
		if !errors.Is(err, fault.ErrExists) || !strings.Contains(err.Error(), "it has "+own+" of its own") {
			t.Errorf("beside a bundled one: %v", err)
		}
		if _, err := bundled.Plan(t.Context(), with("fresh", addon)); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("where one will be bundled all the same: %v", err)
		}
	}
	if c := b.upWith(t, "demo"); len(c.Addons) > 0 {
		t.Errorf("it is remembered: %+v", c.Addons)
	}
	again := with("demo", "traefik")
	again.Recreate = true
	if c, err := b.Up(t.Context(), again, nil); err != nil || len(c.Addons) != 1 {
		t.Errorf("made anew: %+v, %v", c.Addons, err)
	}
}

// TestWrongAddons are refused before anything is made.
func TestWrongAddons(t *testing.T) {
	t.Parallel()
	b := newAddonBench(t, onNodes())
	b.own(t, "bad", "name: bad\n")
	if _, err := b.Up(t.Context(), with("demo", "hello"), nil); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "bad.yaml") {
		t.Errorf("a file that cannot be read: %v", err)
	}
	if err := os.RemoveAll(b.ConfigDir); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		q    lab.AddonRequest
		kind error
	}{
		{lab.AddonRequest{Names: []string{"nope"}}, fault.ErrNotFound},
		{lab.AddonRequest{Names: []string{"traefik", "ingress-nginx"}}, fault.ErrInvalid},
		{lab.AddonRequest{Values: map[string]addons.Values{"hello": {}}}, fault.ErrInvalid},
	} {
		q := request("demo")
		q.Addons = test.q
		if _, err := b.Up(t.Context(), q, nil); !errors.Is(err, test.kind) {
			t.Errorf("%+v: %v, want %v", test.q, err, test.kind)
		}
	}
	if made, err := b.Made(""); err != nil || len(made) > 0 {
		t.Errorf("there is %v, %v", made, err)
	}
}

// TestAddonNotWorking: the cluster stays, it is said why, and the next up goes on.
func TestAddonNotWorking(t *testing.T) {
	t.Parallel()
	b := newAddonBench(t, onNodes())
	if err := b.fake.SetMissing("hello", "no node takes the pod"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // all else must be done by then
	defer cancel()
	_, err := b.Up(ctx, with("demo", "hello", "cert-manager"), nil)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no node takes the pod") {
		t.Fatalf("%v", err)
	}
	if hint := fault.HintOf(err); !strings.Contains(hint, "lab up demo") || !strings.Contains(hint, "lab addon remove hello --name demo") {
		t.Errorf("the hint is %q", hint)
	}
	c, err := b.Status(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]addons.State{"hello": addons.StateInstalling, "cert-manager": addons.StateReady}
	if diff := cmp.Diff(want, states(c)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := c.Ready(); err == nil || !strings.Contains(err.Error(), "no node takes the pod") {
		t.Errorf("%v", err)
	}
	if err := b.fake.SetMissing("hello", ""); err != nil {
		t.Fatal(err)
	}
	if err := b.upWith(t, "demo").Ready(); err != nil {
		t.Error(err)
	}
}

// TestAddonsOfStopped: it is said that the cluster is stopped, and nothing is remembered of
// what could not be done. The list knows what is in it all the same.
func TestAddonsOfStopped(t *testing.T) {
	t.Parallel()
	b := newAddonBench(t, onNodes())
	b.upWith(t, "demo", "hello")
	if _, err := b.Stop(t.Context(), "demo", nil); err != nil {
		t.Fatal(err)
	}
	q := lab.AddonRequest{Names: []string{"cert-manager"}}
	_, install := b.InstallAddons(t.Context(), "demo", q, nil)
	_, preview := b.PreviewAddons(t.Context(), "demo", q)
	remove := b.RemoveAddon(t.Context(), "demo", "hello", nil)
	_, open := b.OpenAddon(t.Context(), "demo", "hello", false)
	for what, err := range map[string]error{"install": install, "preview": preview, "remove": remove, "open": open} {
		if !errors.Is(err, fault.ErrUnavailable) || fault.HintOf(err) != "start it: lab start demo" {
			t.Errorf("%s: %v (hint %q)", what, err, fault.HintOf(err))
		}
	}
	list, err := b.List(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]addons.State{"hello": ""}, states(list.Items[0])); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestStartAwaitsAddons: what worked before must work again.
func TestStartAwaitsAddons(t *testing.T) {
	t.Parallel()
	b := newAddonBench(t, onNodes())
	b.upWith(t, "demo", "hello")
	if _, err := b.Stop(t.Context(), "demo", nil); err != nil {
		t.Fatal(err)
	}
	if err := b.fake.SetMissing("hello", "its pod to be back"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := b.Start(ctx, "demo", lab.WaitAll, nil); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "its pod to be back") {
		t.Errorf("%v", err)
	}
	if err := b.fake.SetMissing("hello", ""); err != nil {
		t.Fatal(err)
	}
	if c, err := b.Start(t.Context(), "demo", lab.WaitAll, nil); err != nil || c.Ready() != nil {
		t.Errorf("%v, %v", err, c.Ready())
	}
}

package clusteraddons_test

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
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestUpWithAddons(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.Define(t, "shop", "name: shop\nchart: {path: ./shop}\nneeds: [cert-manager]\n")
	c := b.MustUp(t, "demo", "shop", "hello")
	want := map[string]addons.State{"shop": addons.StateReady, "cert-manager": addons.StateReady, "hello": addons.StateReady}
	if diff := cmp.Diff(want, labtest.States(c)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := c.Ready(); err != nil {
		t.Error(err)
	}
	c = b.MustUp(t, "demo")
	if diff := cmp.Diff(want, labtest.States(c)); diff != "" {
		t.Errorf("a second up (-want +got):\n%s", diff)
	}
}

// TestChartsAreReadFirst: lab finds a broken chart on this machine before it creates a cluster, and in a
// dry run. It downloads no chart for that.
func TestChartsAreReadFirst(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.Define(t, "shop", "name: shop\nchart: {path: ./shop}\n")
	b.Addons.Tools.Source = func(offline bool, _ []byte) addons.Source { return brokenSource{offline} }
	for _, do := range []func() error{
		func() error {
			_, err := b.Plan(t.Context(), labtest.Request("demo", "shop", "cert-manager"))
			return err
		},
		func() error {
			_, err := b.Up(t.Context(), labtest.Request("demo", "shop", "cert-manager"), nil)
			return err
		},
	} {
		err := do()
		if labtest.WantIs(t, err, fault.ErrInvalid); err == nil || !strings.Contains(err.Error(), "addon shop: it is a library") || fault.HintOf(err) != "use another" {
			t.Errorf("%v; %s", err, fault.HintOf(err))
		}
	}
	if all := b.Existing(t); len(all) > 0 {
		t.Errorf("there is %v", all)
	}
}

// brokenSource has no chart that can be installed. It must not be asked for charts of the network.
type brokenSource struct{ offline bool }

func (s brokenSource) Chart(_ context.Context, c addons.Chart) (addons.Archive, error) {
	if c.Path == "" || !s.offline {
		return addons.Archive{}, errors.New("the network was used for " + c.String())
	}
	return addons.Archive{}, fault.WithHint(fault.Errorf(fault.ErrInvalid, "it is a library"), "use another")
}

// TestAddonsAsk: a new cluster gets what its addons need.
func TestAddonsAsk(t *testing.T) {
	t.Parallel()
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	taken := busy.Addr().(*net.TCPAddr).Port
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.Define(t, "web", "name: web\nchart: {path: ./web}\nasks: {ports: ["+itoa(taken)+", 8443], noIngress: true, controlPlaneMetrics: true}\naccess: {host: web.localhost}\n")
	q := labtest.Request("demo", "web")
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
		t.Errorf("ports %v; want the requested one, and a free one in place of %d", ports, taken)
	}
	simulated := labtest.WithAddons(t, providers.Traits{})
	simulated.Define(t, "web", "name: web\nchart: {path: ./web}\nasks: {ports: [8443], noIngress: true}\n")
	plan, err = simulated.Plan(t.Context(), labtest.Request("demo", "web"))
	if err != nil || len(plan.Spec.Ports) > 0 || plan.Spec.Wants != (providers.Wants{}) {
		t.Errorf("where no pods run it asks for %v %+v, %v", plan.Spec.Ports, plan.Spec.Wants, err)
	}
}

// TestClusterLacks: an addon that an existing cluster cannot have is an error, and changes nothing.
func TestClusterLacks(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.MustUp(t, "demo")
	_, err := b.Addons.Install(t.Context(), "demo", clusteraddons.Request{Names: []string{"traefik"}}, nil)
	if !errors.Is(err, fault.ErrExists) || !strings.Contains(err.Error(), "port 80") || !strings.Contains(fault.HintOf(err), "--addon traefik --recreate") {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
	if _, err := b.Up(t.Context(), labtest.Request("demo", "traefik"), nil); !errors.Is(err, fault.ErrExists) {
		t.Errorf("up: %v", err)
	}
	bundled := labtest.WithAddons(t, providers.Traits{RunsPods: true, MetricsServer: true, Ingress: true})
	bundled.MustUp(t, "demo")
	for addon, own := range map[string]string{"metrics-server": "a metrics-server", "traefik": "an ingress controller"} {
		_, err = bundled.Addons.Install(t.Context(), "demo", clusteraddons.Request{Names: []string{addon}}, nil)
		if !errors.Is(err, fault.ErrExists) || !strings.Contains(err.Error(), "it bundles "+own+", which conflicts with "+addon) {
			t.Errorf("beside a bundled one: %v", err)
		}
		if _, err := bundled.Plan(t.Context(), labtest.Request("fresh", addon)); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("where one will be bundled all the same: %v", err)
		}
	}
	if c := b.MustUp(t, "demo"); len(c.Addons) > 0 {
		t.Errorf("it is remembered: %+v", c.Addons)
	}
	again := labtest.Request("demo", "traefik")
	again.Recreate = true
	if c, err := b.Up(t.Context(), again, nil); err != nil || len(c.Addons) != 1 {
		t.Errorf("recreated: %+v, %v", c.Addons, err)
	}
}

// TestWrongAddons: an invalid request for addons is refused before anything is created.
func TestWrongAddons(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.Define(t, "bad", "name: bad\n")
	if _, err := b.Up(t.Context(), labtest.Request("demo", "hello"), nil); !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), "bad.yaml") {
		t.Errorf("a file that cannot be read: %v", err)
	}
	if err := os.RemoveAll(b.Addons.ConfigDir); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		q    clusteraddons.Request
		kind error
	}{
		{clusteraddons.Request{Names: []string{"nope"}}, fault.ErrNotFound},
		{clusteraddons.Request{Names: []string{"traefik", "ingress-nginx"}}, fault.ErrInvalid},
		{clusteraddons.Request{Values: map[string]addons.Values{"hello": {}}}, fault.ErrInvalid},
	} {
		q := labtest.Request("demo")
		q.Addons = test.q
		if _, err := b.Up(t.Context(), q, nil); !errors.Is(err, test.kind) {
			t.Errorf("%+v: %v, want %v", test.q, err, test.kind)
		}
	}
	if made, err := b.Names(""); err != nil || len(made) > 0 {
		t.Errorf("there is %v, %v", made, err)
	}
}

// TestAddonNotWorking: the cluster stays, the error says why the addon does not work, and the next up
// resumes.
func TestAddonNotWorking(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	if err := b.Fake.SetMissing("hello", "no node takes the pod"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // enough for everything else
	defer cancel()
	_, err := b.Up(ctx, labtest.Request("demo", "hello", "cert-manager"), nil)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "no node takes the pod") {
		t.Fatalf("%v", err)
	}
	if hint := fault.HintOf(err); !strings.Contains(hint, "lab up demo") || !strings.Contains(hint, "lab addon remove hello --name demo") {
		t.Errorf("the hint is %q", hint)
	}
	// lab up without the file would not read what the user corrects in it.
	q := labtest.Request("demo", "hello")
	q.Addons.Written = []string{"hello"}
	again, stop := context.WithTimeout(t.Context(), 2*time.Second)
	defer stop()
	_, err = b.Up(again, q, nil)
	if hint := fault.HintOf(err); strings.Contains(hint, "lab up demo") || !strings.Contains(hint, "then run this command again") {
		t.Errorf("for a file the hint is %q", hint)
	}
	c, err := b.Status(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]addons.State{"hello": addons.StateInstalling, "cert-manager": addons.StateReady}
	if diff := cmp.Diff(want, labtest.States(c)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := c.Ready(); err == nil || !strings.Contains(err.Error(), "no node takes the pod") {
		t.Errorf("%v", err)
	}
	if err := b.Fake.SetMissing("hello", ""); err != nil {
		t.Fatal(err)
	}
	if err := b.MustUp(t, "demo").Ready(); err != nil {
		t.Error(err)
	}
}

// TestAddonsOfStopped: commands on the addons of a stopped cluster fail and change no record. The list
// shows its addons.
func TestAddonsOfStopped(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.MustUp(t, "demo", "hello")
	if _, err := b.Stop(t.Context(), "demo", nil); err != nil {
		t.Fatal(err)
	}
	q := clusteraddons.Request{Names: []string{"cert-manager"}}
	_, install := b.Addons.Install(t.Context(), "demo", q, nil)
	_, preview := b.Addons.Preview(t.Context(), "demo", q)
	remove := b.Addons.Remove(t.Context(), "demo", "hello", nil)
	_, open := b.Addons.Open(t.Context(), "demo", "hello", false)
	for what, err := range map[string]error{"install": install, "preview": preview, "remove": remove, "open": open} {
		if !errors.Is(err, fault.ErrUnavailable) || fault.HintOf(err) != "start it: lab start demo" {
			t.Errorf("%s: %v (hint %q)", what, err, fault.HintOf(err))
		}
	}
	list, err := b.List(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]addons.State{"hello": ""}, labtest.States(list.Items[0])); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestStartAwaitsAddons: start waits for the addons that worked before the stop.
func TestStartAwaitsAddons(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.MustUp(t, "demo", "hello")
	if _, err := b.Stop(t.Context(), "demo", nil); err != nil {
		t.Fatal(err)
	}
	if err := b.Fake.SetMissing("hello", "its pod to be back"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := b.Start(ctx, "demo", inventory.WaitAll, nil); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "its pod to be back") {
		t.Errorf("%v", err)
	}
	if err := b.Fake.SetMissing("hello", ""); err != nil {
		t.Fatal(err)
	}
	if c, err := b.Start(t.Context(), "demo", inventory.WaitAll, nil); err != nil || c.Ready() != nil {
		t.Errorf("%v, %v", err, c.Ready())
	}
}

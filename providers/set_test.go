package providers_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// plain hides the optional abilities of a provider.
type plain struct{ providers.Provider }

// absent is a flavor that is usable on no machine.
type absent struct{ providers.Provider }

func (absent) Check(context.Context, providers.Spec) error {
	return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "it is not there"), "use full")
}

// newFake returns a flavor on a new machine.
func newFake(t *testing.T, name string) providers.Provider {
	t.Helper()
	return providertest.NewFake(providertest.Machine(t.TempDir()), providertest.FakeOptions{Name: name})
}

// setup returns a set of a flavor with all abilities, one with none, and one that is not
// usable, and the machine of the first.
func setup(t *testing.T) (*providers.Set, providertest.Machine) {
	t.Helper()
	m := providertest.Machine(t.TempDir())
	set, err := providers.NewSet(
		absent{newFake(t, "absent")},
		providertest.NewFake(m, providertest.FakeOptions{Name: "full"}),
		plain{newFake(t, "plain")},
	)
	if err != nil {
		t.Fatal(err)
	}
	return set, m
}

func TestNewSet(t *testing.T) {
	t.Parallel()
	set, _ := setup(t)
	if diff := cmp.Diff([]string{"absent", "full", "plain"}, set.Names()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	twice := newFake(t, "full")
	if _, err := providers.NewSet(twice, twice); !errors.Is(err, fault.ErrInvalid) {
		t.Errorf("two of one name: %v", err)
	}
	_, err := set.Get("docker")
	if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(fault.HintOf(err), "absent, full, plain") {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
}

func TestFirstUsable(t *testing.T) {
	t.Parallel()
	set, m := setup(t)
	if p, err := set.FirstUsable(t.Context(), providers.Spec{}); err != nil || p.Name() != "full" {
		t.Errorf("%v, %v; want full", p, err)
	}
	setFaults(t, m, providertest.Faults{Unavailable: "the engine is off"})
	if p, err := set.FirstUsable(t.Context(), providers.Spec{}); err != nil || p.Name() != "plain" {
		t.Errorf("%v, %v; want plain", p, err)
	}
	none, err := providers.NewSet(set.All()[:2]...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = none.FirstUsable(t.Context(), providers.Spec{})
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "full: the engine is off") || !strings.Contains(err.Error(), "absent: ") {
		t.Errorf("it does not give each reason: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := none.FirstUsable(ctx, providers.Spec{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	set, m := setup(t)
	var clusters []string
	c, err := set.Create(t.Context(), "full", providers.Spec{Name: "lab"}, func(e event.Event) { clusters = append(clusters, e.Cluster) })
	if err != nil || c.Name != "lab" || c.ID == "" || c.State != providers.StateRunning {
		t.Fatalf("%+v, %v", c, err)
	}
	if len(clusters) == 0 || strings.Join(clusters, "") != strings.Repeat("lab", len(clusters)) {
		t.Errorf("events are of %q", clusters)
	}
	_, err = set.Create(t.Context(), "full", providers.Spec{Name: "lab"}, nil)
	wrapped(t, err, fault.ErrExists, `full: create cluster "lab": `)
	_, err = set.Create(t.Context(), "full", providers.Spec{Name: "X"}, nil)
	wrapped(t, err, fault.ErrInvalid, `full: create cluster "X": `)
	_, err = set.Create(t.Context(), "absent", providers.Spec{Name: "lab"}, nil)
	wrapped(t, err, fault.ErrUnavailable, `absent: create cluster "lab": `)
	setFaults(t, m, providertest.Faults{Unavailable: "the engine is off"})
	_, err = set.Create(t.Context(), "full", providers.Spec{Name: "other"}, nil)
	wrapped(t, err, fault.ErrUnavailable, "the engine is off")
}

// TestIdentity replaces a cluster as another program would, and checks that nothing changes the
// new one.
func TestIdentity(t *testing.T) {
	t.Parallel()
	set, m := setup(t)
	c, err := set.Create(t.Context(), "full", providers.Spec{Name: "lab"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ref := providers.Ref{Provider: "full", Name: "lab", ID: c.ID}
	if err := m.Remake("lab"); err != nil {
		t.Fatal(err)
	}
	for name, err := range all(t, set, ref) {
		if !errors.Is(err, fault.ErrForeign) {
			t.Errorf("%s: %v, want ErrForeign", name, err)
		}
	}
	if _, err := set.Find(t.Context(), providers.Ref{Provider: "full", Name: "lab"}); err != nil {
		t.Errorf("the foreign cluster is gone: %v", err)
	}
	for name, err := range all(t, set, providers.Ref{Provider: "full", Name: "nope"}) {
		wrapped(t, err, fault.ErrNotFound, `cluster "nope"`)
		if strings.Count(err.Error(), "full: ") != 1 {
			t.Errorf("%s: its context is there more than once: %v", name, err)
		}
	}
}

// cutShort is a flavor with leftovers that its List does not show.
type cutShort struct {
	providers.Provider
	removed int
	fails   error
}

func (*cutShort) Name() string { return "cut" }

func (c *cutShort) Delete(context.Context, providers.Ref) error {
	c.removed++
	return c.fails
}

// TestDeleteOfWhatIsNotListed checks that leftovers of a creation that was killed at once are
// removed before its record.
func TestDeleteOfWhatIsNotListed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ fails, want error }{
		{nil, nil},
		{fault.Errorf(fault.ErrNotFound, "no cluster"), fault.ErrNotFound},
		{fault.Errorf(fault.ErrUnavailable, "the disk is full"), fault.ErrUnavailable},
	} {
		p := &cutShort{Provider: newFake(t, "cut"), fails: test.fails}
		set, err := providers.NewSet(p)
		if err != nil {
			t.Fatal(err)
		}
		err = set.Delete(t.Context(), providers.Ref{Provider: "cut", Name: "lab"})
		if !errors.Is(err, test.want) || p.removed != 1 {
			t.Errorf("%v: %v after %d removals, want %v", test.fails, err, p.removed, test.want)
		}
		if err != nil {
			wrapped(t, err, test.want, `cut: delete cluster "lab": `)
		}
	}
}

// keeper is a flavor with temporary files.
type keeper struct {
	providers.Provider
	forgotten []string
	fails     error
}

func (k *keeper) Forget(name string) error {
	k.forgotten = append(k.forgotten, name)
	return k.fails
}

// TestNameOfAnother checks that a cluster of another program stays if it has the name of an
// incomplete one, whose leftovers are removed.
func TestNameOfAnother(t *testing.T) {
	t.Parallel()
	for _, fails := range []error{nil, errors.New("the disk is gone")} {
		k := &keeper{Provider: newFake(t, "full"), fails: fails}
		set, err := providers.NewSet(k)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := set.Create(t.Context(), "full", providers.Spec{Name: "lab"}, nil); err != nil {
			t.Fatal(err)
		}
		for _, ref := range []providers.Ref{{ID: "another"}, {Mark: "a mark"}} {
			ref.Provider, ref.Name = "full", "lab"
			if err := set.Delete(t.Context(), ref); !errors.Is(err, fault.ErrForeign) || fails != nil && !errors.Is(err, fails) {
				t.Errorf("%+v: %v", ref, err)
			}
		}
		if left, err := set.List(t.Context()); err != nil || len(left) != 1 || len(k.forgotten) != 2 {
			t.Errorf("left: %v, %v; forgotten: %q", left, err, k.forgotten)
		}
	}
}

func TestAbilities(t *testing.T) {
	t.Parallel()
	set, _ := setup(t)
	c, err := set.Create(t.Context(), "plain", providers.Spec{Name: "lab"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	errs := all(t, set, providers.Ref{Provider: "plain", Name: "lab", ID: c.ID})
	for _, name := range []string{"start", "stop", "load", "logs"} {
		wrapped(t, errs[name], fault.ErrUnsupported, "this flavor cannot")
	}
	if errs["kubeconfig"] != nil || errs["delete"] != nil {
		t.Errorf("what every flavor can do: %v, %v", errs["kubeconfig"], errs["delete"])
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	set, m := setup(t)
	for _, c := range [][2]string{{"plain", "bb"}, {"full", "bb"}, {"full", "aa"}} {
		if _, err := set.Create(t.Context(), c[0], providers.Spec{Name: c[1]}, nil); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want string, flavors ...string) error {
		t.Helper()
		list, err := set.List(t.Context(), flavors...)
		var got []string
		for _, c := range list {
			got = append(got, c.Name+"/"+c.Provider)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q, want %q", got, want)
		}
		return err
	}
	if err := check("aa/full bb/full bb/plain"); err != nil {
		t.Error(err)
	}
	setFaults(t, m, providertest.Faults{Fail: map[string]string{"list": "the socket is gone"}})
	wrapped(t, check("bb/plain"), nil, "full: list: the socket is gone")
	if err := check("bb/plain", "plain"); err != nil {
		t.Errorf("a flavor that was not asked for fails the list: %v", err)
	}
	err := check("bb/plain", "ghost", "plain", "ghost")
	wrapped(t, err, fault.ErrInvalid, `ghost: list: unknown flavor "ghost"`)
	if strings.Count(err.Error(), "ghost: ") != 1 {
		t.Errorf("it is said more than once: %v", err)
	}
}

// all calls each method of set for one cluster, Delete last.
func all(t *testing.T, set *providers.Set, ref providers.Ref) map[string]error {
	t.Helper()
	ctx := t.Context()
	errs := map[string]error{}
	_, errs["find"] = set.Find(ctx, ref)
	_, errs["kubeconfig"] = set.Kubeconfig(ctx, ref)
	errs["stop"] = set.Stop(ctx, ref)
	errs["start"] = set.Start(ctx, ref, nil)
	errs["load"] = set.LoadImages(ctx, ref, "image.tar")
	errs["logs"] = set.ExportLogs(ctx, ref, t.TempDir())
	errs["delete"] = set.Delete(ctx, ref)
	return errs
}

func setFaults(t *testing.T, m providertest.Machine, f providertest.Faults) {
	t.Helper()
	if err := m.SetFaults(f); err != nil {
		t.Fatal(err)
	}
}

// wrapped checks that err is an Error of a kind, if that is not nil, and its message.
func wrapped(t *testing.T, err, kind error, words string) {
	t.Helper()
	var e *providers.Error
	if !errors.As(err, &e) || kind != nil && !errors.Is(err, kind) || !strings.Contains(err.Error(), words) {
		t.Errorf("%v, want an Error of kind %v that says %q", err, kind, words)
	}
}

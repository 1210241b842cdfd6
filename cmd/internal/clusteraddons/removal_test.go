package clusteraddons_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// interrupted is an installer whose removals are interrupted before they delete anything.
type interrupted struct {
	addons.Installer
	interrupt context.CancelFunc
}

func (i interrupted) Remove(ctx context.Context, _ addons.Cluster, _ addons.Addon, _ func(string)) ([]addons.Kept, error) {
	i.interrupt()
	return nil, ctx.Err()
}

// TestInterruptedRemoval: lab shows an addon whose removal was interrupted as removing. The next
// removal finishes it, and so does an up that does not request the addon. An up or an installation that
// requests it installs it again.
func TestInterruptedRemoval(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		next func(labtest.Bench) error
		want map[string]addons.State
	}{
		"addon remove": {func(b labtest.Bench) error { return b.Addons.Remove(t.Context(), "demo", "hello", nil) }, map[string]addons.State{}},
		"up": {func(b labtest.Bench) error {
			_, err := b.Up(t.Context(), labtest.Request("demo"), nil)
			return err
		}, map[string]addons.State{}},
		"up with the addon": {func(b labtest.Bench) error {
			_, err := b.Up(t.Context(), labtest.Request("demo", "hello"), nil)
			return err
		}, map[string]addons.State{"hello": addons.StateReady}},
		"up with an addon that needs it": {func(b labtest.Bench) error {
			b.Define(t, "shop", "name: shop\nchart: {path: ./shop}\nneeds: [hello]\n")
			_, err := b.Up(t.Context(), labtest.Request("demo", "shop"), nil)
			return err
		}, map[string]addons.State{"hello": addons.StateReady, "shop": addons.StateReady}},
		"addon install": {func(b labtest.Bench) error {
			_, err := b.Addons.Install(t.Context(), "demo", clusteraddons.Request{Names: []string{"hello"}}, nil)
			return err
		}, map[string]addons.State{"hello": addons.StateReady}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := labtest.WithAddons(t, labtest.OnNodes())
			b.MustUp(t, "demo", "hello")
			interruptRemoval(t, b)
			if err := tt.next(b); err != nil {
				t.Fatal(err)
			}
			c, err := b.Status(t.Context(), "demo")
			if diff := cmp.Diff(tt.want, labtest.States(c)); diff != "" || err != nil || c.Ready() != nil {
				t.Errorf("%v, %v (-want +got):\n%s", err, c.Ready(), diff)
			}
		})
	}
}

// interruptRemoval interrupts the removal of hello, and checks what lab shows of it.
func interruptRemoval(t *testing.T, b labtest.Bench) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	tools := b.Addons.Tools
	b.Addons.Tools.Installer = interrupted{tools.Installer, cancel}
	if err := b.Addons.Remove(ctx, "demo", "hello", nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("remove: %v", err)
	}
	b.Addons.Tools = tools
	c := agree(t, b, "interrupted")
	if diff := cmp.Diff(map[string]addons.State{"hello": addons.StateRemoving}, labtest.States(c)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if err := c.Ready(); err == nil || !strings.Contains(fault.HintOf(err), "lab addon remove hello --name demo") {
		t.Errorf("ready: %v (hint %q)", err, fault.HintOf(err))
	}
	d, err := b.Diff(t.Context(), labtest.Request("demo"))
	if err != nil || len(d.Items) != 1 || d.Items[0].Has != "removing" || d.Items[0].Asked != "removed" || len(d.Surplus) > 0 {
		t.Errorf("diff: %+v, %v", d, err)
	}
}

package clusteraddons_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// failing are addon tools that fail.
type failing struct {
	addons.Installer
	addons.Checker
	install, look error // install is the error of a removal, too
}

func (f *failing) Install(ctx context.Context, c addons.Cluster, r addons.Release, moved func(string)) (addons.Installed, error) {
	if f.install != nil {
		return addons.Installed{}, f.install
	}
	return f.Installer.Install(ctx, c, r, moved)
}

func (f *failing) Remove(ctx context.Context, c addons.Cluster, a addons.Addon, moved func(string)) ([]addons.Kept, error) {
	if f.install != nil {
		return nil, f.install
	}
	return f.Installer.Remove(ctx, c, a, moved)
}

func (f *failing) Look(ctx context.Context, c addons.Cluster, a addons.Addon, in addons.Installed) (string, error) {
	if f.look != nil {
		return "", f.look
	}
	return f.Checker.Look(ctx, c, a, in)
}

func (f *failing) Wait(ctx context.Context, c addons.Cluster, a addons.Addon, in addons.Installed, moved func(string)) error {
	return f.Checker.Wait(ctx, c, a, in, moved)
}

// agree checks that list and status show the same of the only cluster, and returns it.
func agree(t *testing.T, b labtest.Bench, when string) output.Cluster {
	t.Helper()
	shown, err := b.Status(t.Context(), "demo")
	if err != nil {
		t.Fatal(err)
	}
	list, err := b.List(t.Context(), false)
	if err != nil || len(list.Items) != 1 {
		t.Fatalf("%d clusters, %v", len(list.Items), err)
	}
	listed := list.Items[0]
	if listed.State != shown.State || listed.Reason != shown.Reason || listed.Hint != shown.Hint {
		t.Errorf("%s: list says %s (%s), status %s (%s)", when, listed.State, listed.Reason, shown.State, shown.Reason)
	}
	if diff := cmp.Diff(labtest.States(shown), labtest.States(listed)); diff != "" {
		t.Errorf("%s: addons (-status +list):\n%s", when, diff)
	}
	return listed
}

// TestAddonFailed: list and status show a cluster as degraded if an addon failed, during its
// installation or later.
func TestAddonFailed(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	f := &failing{Installer: b.Fake, Checker: b.Fake, install: errors.New("the chart is broken\nin line 3")}
	b.Addons.Tools.Installer, b.Addons.Tools.Checker = f, f
	if _, err := b.Up(t.Context(), labtest.Request("demo", "hello"), nil); err == nil {
		t.Fatal("a broken chart was installed")
	}
	list, err := b.List(t.Context(), false) // before the first status
	if err != nil || list.Items[0].State != providers.StateDegraded || !strings.Contains(list.Items[0].Reason, "addon hello failed: the chart is broken") {
		t.Errorf("%+v, %v", list.Items, err)
	}
	if c := agree(t, b, "after a failed installation"); c.State != providers.StateDegraded {
		t.Errorf("it is %s", c.State)
	}

	f.install = nil
	b.MustUp(t, "demo")
	if c := agree(t, b, "once it is installed"); c.State != providers.StateRunning || c.Addons[0].State != addons.StateReady {
		t.Errorf("it is %+v", c)
	}

	f.look = errors.New("the job failed")
	if c := agree(t, b, "when it fails later"); c.State != providers.StateDegraded || !strings.Contains(c.Reason, "the job failed") {
		t.Errorf("it is %+v", c)
	}
	f.look = nil
	if c := agree(t, b, "when it works again"); c.State != providers.StateRunning {
		t.Errorf("it is %+v", c)
	}
	if _, err := b.Stop(t.Context(), "demo", nil); err != nil {
		t.Fatal(err)
	}
	if c := agree(t, b, "when it is stopped"); c.State != providers.StateStopped || c.Addons[0].State != "" {
		t.Errorf("it is %+v", c)
	}
}

// TestAddonLost: if the API server stops answering, the error says so, and how to repair the cluster.
func TestAddonLost(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.MustUp(t, "demo", "hello")
	broken := &failing{Installer: b.Fake, Checker: b.Fake, install: errors.New("uninstall: failed to delete release")}
	b.Addons.Tools.Installer = broken
	lost := func() (lost []error) {
		_, err := b.Addons.Install(t.Context(), "demo", clusteraddons.Request{Names: []string{"hello"}}, nil)
		return []error{err, b.Addons.Remove(t.Context(), "demo", "hello", nil)}
	}
	for _, err := range lost() {
		if err == nil || errors.Is(err, fault.ErrUnavailable) {
			t.Errorf("while the API server answers: %v", err)
		}
	}
	b.Probe = &labtest.Prober{Err: errors.New("connection refused")}
	for _, err := range lost() {
		if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), `API server of cluster "demo" stopped answering`) ||
			!strings.Contains(fault.HintOf(err), "lab start demo") {
			t.Errorf("%v; hint: %s", err, fault.HintOf(err))
		}
	}
}

// unmoved are addon tools that never finish.
type unmoved struct {
	addons.Installer
	addons.Checker
}

func (unmoved) Remove(ctx context.Context, _ addons.Cluster, _ addons.Addon, _ func(string)) ([]addons.Kept, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (unmoved) Wait(ctx context.Context, _ addons.Cluster, _ addons.Addon, _ addons.Installed, _ func(string)) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestAddonBreaksMeanwhile: no command waits for an addon in a cluster that died.
func TestAddonBreaksMeanwhile(t *testing.T) {
	for name, do := range map[string]func(context.Context, labtest.Bench) error{
		"install": func(ctx context.Context, b labtest.Bench) error {
			_, err := b.Addons.Install(ctx, "demo", clusteraddons.Request{Names: []string{"hello"}}, nil)
			return err
		},
		"remove": func(ctx context.Context, b labtest.Bench) error { return b.Addons.Remove(ctx, "demo", "hello", nil) },
		"start": func(ctx context.Context, b labtest.Bench) error {
			if _, err := b.Stop(ctx, "demo", nil); err != nil {
				return err
			}
			_, err := b.Start(ctx, "demo", inventory.WaitAll, nil)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := labtest.WithAddons(t, labtest.OnNodes())
				b.MustUp(t, "demo", "hello")
				b.Addons.Tools.Installer, b.Addons.Tools.Checker = unmoved{b.Fake, b.Fake}, unmoved{b.Fake, b.Fake}
				time.AfterFunc(time.Second, func() { _ = b.Machine.Break("demo") })
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				if err := do(ctx, b); err == nil || !strings.Contains(err.Error(), `the cluster broke while lab waited for it: its engine is gone`) {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

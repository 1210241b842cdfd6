package clusteraddons_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// stuck is an installer whose hooks fail before a deletion.
type stuck struct{ addons.Installer }

func (stuck) Remove(context.Context, addons.Cluster, addons.Addon, func(string)) ([]addons.Kept, error) {
	return nil, fault.WithHint(&addons.HookError{Err: errors.New("hook job hello/bye: it failed")}, "look at the job")
}

// foreign is an installer in whose clusters another program installed each release.
type foreign struct {
	addons.Installer
	installed []addons.Installed // by lab
}

func (foreign) Remove(context.Context, addons.Cluster, addons.Addon, func(string)) ([]addons.Kept, error) {
	return nil, fault.Errorf(fault.ErrForeign, "the release is not managed by lab")
}

func (f foreign) List(context.Context, addons.Cluster) ([]addons.Installed, error) {
	return f.installed, nil
}

// TestRemoveAddonOfForeignRelease: an addon that lab could not install, because another program has a release of its name,
// can be removed. The release stays. An addon that lab installed is not forgotten.
func TestRemoveAddonOfForeignRelease(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.MustUp(t, "demo", "hello")
	before := b.Addons.Tools.Installer
	b.Addons.Tools.Installer = foreign{before, []addons.Installed{{Name: "hello"}}}
	if err := b.Addons.Remove(t.Context(), "demo", "hello", nil); !errors.Is(err, fault.ErrForeign) {
		t.Errorf("an object of another program in the way: %v", err)
	}
	b.Addons.Tools.Installer = foreign{before, nil}
	var warnings []string
	err := b.Addons.Remove(t.Context(), "demo", "hello", func(e event.Event) {
		if e.State == event.Warning {
			warnings = append(warnings, e.Message)
		}
	})
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "the release is not managed by lab: it stays") {
		t.Errorf("%q, %v", warnings, err)
	}
	if err := b.Addons.Remove(t.Context(), "demo", "hello", nil); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("it was not forgotten: %v", err)
	}
}

// TestFailedHookOfRemoval: the error of a hook that prevents a removal names the commands that remove the addon without
// it.
func TestFailedHookOfRemoval(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.MustUp(t, "demo", "hello")
	b.Addons.Tools.Installer = stuck{b.Addons.Tools.Installer}
	err := b.Addons.Remove(t.Context(), "demo", "hello", nil)
	const want = "look at the job; or remove the addon without its hooks: " +
		"lab helm demo -- uninstall hello --namespace hello --no-hooks; then: lab addon remove hello --name demo"
	if err == nil || !strings.Contains(err.Error(), "cannot remove addon hello: hook job hello/bye: it failed") || fault.HintOf(err) != want {
		t.Errorf("got  %v (hint %q)\nwant hint %q", err, fault.HintOf(err), want)
	}
}

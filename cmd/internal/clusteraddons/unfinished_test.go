package clusteraddons_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/providers/event"
)

// TestUnfinishedIsNotResumedByFile: an addon whose installation failed, and that is then deleted from the file, is kept
// and reported, like every addon that the file lacks, but not installed again. A command without a file resumes it, and
// --prune removes it.
func TestUnfinishedIsNotResumedByFile(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	b.Define(t, "shop", "name: shop\nchart: {path: ./shop}\n")
	b.Define(t, "front", "name: front\nchart: {path: ./shop}\nneeds: [shop]\n")
	f := &failing{Installer: b.Fake, Checker: b.Fake, install: errors.New("the chart is broken")}
	b.Addons.Tools.Installer, b.Addons.Tools.Checker = f, f
	file := labtest.Request("demo", "shop")
	file.Addons.Described, file.Addons.Written = true, []string{"shop"}
	if _, err := b.Up(t.Context(), file, nil); err == nil {
		t.Fatal("the broken chart is installed")
	}
	f.install = nil
	spy := &releases{Installer: b.Fake}
	b.Addons.Tools.Installer = spy

	file.Addons.Names, file.Addons.Written = []string{"hello"}, []string{"hello"}
	if plan, err := b.DryRun(t.Context(), file); err != nil || !slices.Equal(plan.Addons, []string{"hello"}) || !slices.Equal(plan.Unfinished, []string{"shop"}) {
		t.Errorf("dry run: addons %q, unfinished %q, %v", plan.Addons, plan.Unfinished, err)
	}
	var warnings []string
	c, err := b.Up(t.Context(), file, func(e event.Event) {
		if e.State == event.Warning {
			warnings = append(warnings, e.Message)
		}
	})
	if err != nil || len(spy.last("shop").Addon.Name) > 0 || spy.last("hello").Addon.Name == "" {
		t.Errorf("installed %v, %v", spy.all, err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "lab addon remove shop --name demo") || !strings.Contains(warnings[0], "lab addon install shop --name demo") {
		t.Errorf("warnings %q", warnings)
	}
	if diff := cmp.Diff(map[string]addons.State{"shop": addons.StateFailed, "hello": addons.StateReady}, labtest.States(c)); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	if d, err := b.Diff(t.Context(), file); err != nil || len(d.Items) > 0 || !slices.Equal(d.Surplus, []string{"shop"}) {
		t.Errorf("differences %+v, surplus %q, %v", d.Items, d.Surplus, err)
	}

	needing := file
	needing.Addons.Names = []string{"front"}
	if _, err := b.Up(t.Context(), needing, nil); err != nil || spy.last("shop").Addon.Name == "" {
		t.Errorf("an addon needs it, and it was not installed: %v", err)
	}
}

// TestUnfinishedIsResumed: a command that does not describe all addons resumes unfinished ones.
func TestUnfinishedIsResumed(t *testing.T) {
	t.Parallel()
	b := labtest.WithAddons(t, labtest.OnNodes())
	f := &failing{Installer: b.Fake, Checker: b.Fake, install: errors.New("the registry is down")}
	b.Addons.Tools.Installer, b.Addons.Tools.Checker = f, f
	if _, err := b.Up(t.Context(), labtest.Request("demo", "hello"), nil); err == nil {
		t.Fatal("it is installed")
	}
	f.install = nil
	if c, err := b.Up(t.Context(), labtest.Request("demo"), nil); err != nil || labtest.States(c)["hello"] != addons.StateReady {
		t.Errorf("%v, %v", labtest.States(c), err)
	}
}

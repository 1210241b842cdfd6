package clusteraddons_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/labtest"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// stuck is an installer whose hooks fail before a deletion.
type stuck struct{ addons.Installer }

func (stuck) Remove(context.Context, addons.Cluster, addons.Addon, func(string)) ([]addons.Kept, error) {
	return nil, fault.WithHint(&addons.HookError{Err: errors.New("hook job hello/bye: it failed")}, "look at the job")
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

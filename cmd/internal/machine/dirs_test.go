package machine_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/cmd/internal/machine"
	"github.com/clusterlab-dev/lab/providers/fault"
)

func TestFindDirs(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	in := func(parts ...string) string { return filepath.Join(append([]string{root}, parts...)...) }
	xdg := map[string]string{"XDG_STATE_HOME": in("s"), "XDG_CACHE_HOME": in("c"), "XDG_CONFIG_HOME": in("f")}
	for name, tt := range map[string]struct {
		env  map[string]string
		want machine.Dirs
	}{
		"LAB_HOME without HOME": {map[string]string{"LAB_HOME": root}, machine.Dirs{State: in("state"), Cache: in("cache"), Config: in("config"), Bin: in("bin")}},
		"XDG without HOME":      {xdg, machine.Dirs{State: in("s", "lab"), Cache: in("c", "lab"), Config: in("f", "lab"), Bin: in("s", "lab", "bin")}},
	} {
		got, err := machine.FindDirs(func(key string) string { return tt.env[key] })
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	separator := string(os.PathListSeparator)
	for says, env := range map[string]map[string]string{
		"HOME is not set":           {"XDG_STATE_HOME": in("s"), "XDG_CACHE_HOME": "relative", "XDG_CONFIG_HOME": in("f")},
		"kubectl splits KUBECONFIG": {"LAB_HOME": in("a" + separator + "b")},
	} {
		_, err := machine.FindDirs(func(key string) string { return env[key] })
		if !errors.Is(err, fault.ErrInvalid) || !strings.Contains(err.Error(), says) || !strings.Contains(fault.HintOf(err), "LAB_HOME") {
			t.Errorf("error is %v (hint %q), want ErrInvalid with %q", err, fault.HintOf(err), says)
		}
	}
}

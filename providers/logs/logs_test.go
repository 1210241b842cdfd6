package logs_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/logs"
)

func TestWithLogs(t *testing.T) {
	t.Parallel()
	broken := errors.New("it broke")
	save := func(_ context.Context, dir string) error {
		return os.WriteFile(filepath.Join(dir, "log"), []byte("words"), 0o600)
	}
	none := func(context.Context, string) error { return broken }
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for name, test := range map[string]struct {
		cause  error
		export func(context.Context, string) error
		saved  int
		hint   string
	}{
		"saved":           {broken, save, 1, "read the logs in "},
		"it has a hint":   {fault.WithHint(broken, "fix it"), save, 1, "fix it"},
		"too slow":        {fmt.Errorf("waiting: %w", context.DeadlineExceeded), save, 1, ""},
		"interrupted":     {fmt.Errorf("waiting: %w", context.Canceled), save, 0, ""},
		"none":            {broken, none, 0, ""},
		"some":            {broken, func(ctx context.Context, dir string) error { return errors.Join(save(ctx, dir), broken) }, 1, "read the logs in "},
		"its time is not": {broken, func(ctx context.Context, dir string) error { return errors.Join(ctx.Err(), save(ctx, dir)) }, 1, "read the logs in "},
	} {
		parent := filepath.Join(t.TempDir(), "logs")
		err := logs.With(over, "demo", parent, test.cause, test.export)
		dirs, _ := filepath.Glob(filepath.Join(parent, "lab-demo-logs-*"))
		if len(dirs) != test.saved || !errors.Is(err, test.cause) || !strings.HasPrefix(fault.HintOf(err), test.hint) || (fault.HintOf(err) == "") != (test.hint == "") {
			t.Errorf("%s: %v (hint %q), and %q", name, err, fault.HintOf(err), dirs)
		}
		if test.saved > 0 && !strings.Contains(err.Error(), "its logs are in "+dirs[0]) {
			t.Errorf("%s: it does not say where: %v", name, err)
		}
	}
}

//go:build unix

package bundles

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// TestOpenPipe checks that a pipe is refused: opening it waits until another program writes to it, and ignores signals.
func TestOpenPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "class.lab")
	check(t, syscall.Mkfifo(pipe, 0o600))
	if _, err := OpenFile(pipe); !errors.Is(err, fault.ErrInvalid) || fault.HintOf(err) == "" {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
}

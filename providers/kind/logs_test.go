package kind

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"

	kinderrors "sigs.k8s.io/kind/pkg/errors"
)

// TestUnwritten checks that only errors of writing files are returned: the files contain those
// of commands.
func TestUnwritten(t *testing.T) {
	t.Parallel()
	full := kinderrors.Wrap(&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, "inspect")
	down := failed("container is not running", "docker", "exec")
	for _, test := range []struct{ err, want error }{
		{nil, nil}, {down, nil}, {full, syscall.ENOSPC}, {kinderrors.NewAggregate([]error{down, full}), syscall.ENOSPC},
	} {
		if got := unwritten(test.err); !errors.Is(got, test.want) {
			t.Errorf("%v: %v, want %v", test.err, got, test.want)
		}
	}
}

package engine

import (
	"context"
	"errors"
	"io"
	"os"

	"k8s.io/klog/v2"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/controlplane"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/settings"
)

// Check returns an error, in the words of the component concerned, for a configuration
// with which Serve would fail. It works in a temporary directory of its own, and must
// be called at most once in a process.
func Check(ctx context.Context, native []byte) (err error) {
	klog.LogToStderr(false) // what components log is not the answer
	klog.SetOutput(io.Discard)
	s, err := settings.Parse(native)
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp("", "lab-engine-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()
	if err := os.Chdir(temporary); err != nil {
		return err
	}
	if err := dir.Make(); err != nil {
		return err
	}
	if err := errors.Join(ensureKeys(), s.Write()); err != nil {
		return err
	}
	return controlplane.Check(ctx, s)
}

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

// Check returns the error of the component with which Serve would fail for a configuration, if any. It
// works in a temporary directory, and must be called at most once per process.
func Check(ctx context.Context, native []byte) (err error) {
	klog.LogToStderr(false) // discard the logs of components
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

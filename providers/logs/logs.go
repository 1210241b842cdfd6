// Package logs saves the logs of clusters that failed, before they are deleted.
package logs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// logsWithin bounds the time for saving the logs of a cluster that is about to be deleted.
const logsWithin = 30 * time.Second

// With saves logs as [Save] does, and returns cause with the directory.
func With(ctx context.Context, name, parent string, cause error, export func(ctx context.Context, dir string) error) error {
	return Name(cause, Save(ctx, name, parent, cause, export))
}

// Save has export write the logs of a cluster that failed because of cause into a new directory
// below parent, and returns that directory. "" is the system's directory for temporary files.
// Save returns "" if nothing could be saved: cause matters more. After an interrupt it saves
// nothing, because the user is waiting.
func Save(ctx context.Context, name, parent string, cause error, export func(ctx context.Context, dir string) error) string {
	if errors.Is(cause, context.Canceled) {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logsWithin) // it may have timed out
	defer cancel()
	parent = cmp.Or(parent, os.TempDir())
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return ""
	}
	dir, err := os.MkdirTemp(parent, "lab-"+name+"-logs-")
	if err != nil {
		return ""
	}
	if err := export(ctx, dir); err != nil && os.Remove(dir) == nil { // it is empty
		return ""
	}
	return filepath.Clean(dir)
}

// Name returns cause with the directory of the logs, or unchanged if dir is "".
func Name(cause error, dir string) error {
	if dir == "" {
		return cause
	}
	err := fmt.Errorf("%w\nits logs are in %s", cause, dir)
	if fault.HintOf(cause) == "" && !errors.Is(cause, context.DeadlineExceeded) { // its hint is to allow more time
		return fault.WithHint(err, "read the logs in %s", dir)
	}
	return err
}

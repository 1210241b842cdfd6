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

// logsWithin bounds the saving of logs before a cluster is removed that failed.
const logsWithin = 30 * time.Second

// With saves logs as [Save] does, and returns cause with the place.
func With(ctx context.Context, name, parent string, cause error, export func(ctx context.Context, dir string) error) error {
	return Name(cause, Save(ctx, name, parent, cause, export))
}

// Save has export save the logs of a cluster that failed because of cause into a
// directory of its own below parent, "" being the system's for temporary files, and returns
// that directory. It returns "" where they cannot be saved: cause is what matters. After an
// interrupt they are not saved, as the person waits.
func Save(ctx context.Context, name, parent string, cause error, export func(ctx context.Context, dir string) error) string {
	if errors.Is(cause, context.Canceled) {
		return ""
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logsWithin) // its time may be what is over
	defer cancel()
	parent = cmp.Or(parent, os.TempDir())
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return ""
	}
	dir, err := os.MkdirTemp(parent, "lab-"+name+"-logs-")
	if err != nil {
		return ""
	}
	if err := export(ctx, dir); err != nil && os.Remove(dir) == nil { // as nothing was saved
		return ""
	}
	return filepath.Clean(dir)
}

// Name returns cause with the directory where logs are, or as it is where dir is "".
func Name(cause error, dir string) error {
	if dir == "" {
		return cause
	}
	err := fmt.Errorf("%w\nits logs are in %s", cause, dir)
	if fault.HintOf(cause) == "" && !errors.Is(cause, context.DeadlineExceeded) { // which more time would help
		return fault.WithHint(err, "read the logs in %s", dir)
	}
	return err
}

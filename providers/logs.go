package providers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// logsWithin bounds the saving of logs before a cluster is removed that failed.
const logsWithin = 30 * time.Second

// WithLogs has export save the logs of a cluster that is about to be removed because of
// cause into a directory of its own below parent, "" being the system's for temporary
// files, and returns cause with the place. Where they cannot be saved, cause is what
// matters, and is returned as it is; nobody waits for them who interrupted lab.
func WithLogs(ctx context.Context, name, parent string, cause error, export func(ctx context.Context, dir string) error) error {
	if errors.Is(cause, context.Canceled) {
		return cause
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logsWithin) // its time may be what is over
	defer cancel()
	parent = cmp.Or(parent, os.TempDir())
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return cause
	}
	dir, err := os.MkdirTemp(parent, "lab-"+name+"-logs-")
	if err != nil {
		return cause
	}
	if err := export(ctx, dir); err != nil && os.Remove(dir) == nil { // as nothing was saved
		return cause
	}
	err = fmt.Errorf("%w\nits logs are in %s", cause, filepath.Clean(dir))
	if HintOf(cause) == "" && !errors.Is(cause, context.DeadlineExceeded) { // which more time would help
		return WithHint(err, "read the logs in %s", dir)
	}
	return err
}

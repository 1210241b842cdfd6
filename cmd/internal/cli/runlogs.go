package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

// saveLogs saves the logs and events of the cluster. With --progress quiet, which hides the
// name of the directory, it does so only if --logs is set.
func (c *command) saveLogs(ctx context.Context, progress *ui.Progress, r clusters.Running, o *runOptions) {
	if c.mode == ui.ModeQuiet && o.logs == "" {
		return
	}
	dir := filepath.Join(o.logs, r.Name+"-logs") // does not exist, because the name is new
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		progress.Warn("cannot save the logs: %v", err)
		return
	}
	if err := errors.Join(c.saveEvents(ctx, r, dir), c.Clusters.ExportLogs(ctx, r.Name, dir)); err != nil {
		progress.Warn("cannot save all logs: %v", err)
	}
	progress.Note("Saved logs and events in %s", dir)
}

// saveEvents writes the events of all namespaces into dir.
func (c *command) saveEvents(ctx context.Context, r clusters.Running, dir string) error {
	path, args, err := c.findKubectl()
	if err != nil {
		return err
	}
	config, err := writeConfig(r)
	if err != nil {
		return err
	}
	args = slices.Concat(args, []string{
		"--kubeconfig", config, "--cache-dir", c.Inventory.State.Cache(r.Name),
		"get", "events", "--all-namespaces", "--sort-by", ".metadata.creationTimestamp", "--output", "wide",
	})
	events, err := exec.CommandContext(ctx, path, args...).Output()
	if err != nil {
		return fmt.Errorf("cannot read the events: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, "events.txt"), events, 0o644)
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
)

// runOn runs a command on a cluster. It returns [exited] if the command fails.
func runOn(c *command, ctx context.Context, r clusters.Running, o *runOptions, args []string) error {
	env, bin, err := prepareRun(c, r)
	if err != nil {
		return err
	}
	path, err := lookUp(c, args[0], bin)
	if err != nil {
		return err
	}
	cmd := exec.Command(path, args[1:]...)
	cmd.Args[0], cmd.Env = args[0], env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = c.streams.In, c.streams.Out.Writer, c.streams.Err.Writer
	s := supervisor{grace: o.grace, keyboard: c.streams.Interactive(), files: c.files}
	return s.run(ctx, cmd)
}

// prepareRun returns the environment of a command, and the first directory of its PATH.
func prepareRun(c *command, r clusters.Running) (env []string, bin string, err error) {
	bin = filepath.Join(r.Scratch, "bin")
	if err := os.MkdirAll(bin, 0o700); err != nil {
		return nil, "", err
	}
	config, err := writeConfig(r)
	if err != nil {
		return nil, "", err
	}
	// lab-engine runs as kubectl if that is the name of the program.
	if path, _, err := c.findKubectl(); err == nil && !onPath("kubectl") {
		if err := os.Symlink(path, filepath.Join(bin, "kubectl")); err != nil {
			return nil, "", err
		}
	}
	return append(userEnv(),
		"PATH="+strings.TrimSuffix(bin+string(filepath.ListSeparator)+os.Getenv("PATH"), string(filepath.ListSeparator)),
		"KUBECONFIG="+config, "KUBECACHEDIR="+c.Inventory.State.Cache(r.Name),
		"LAB_CLUSTER="+r.Name, "LAB_CONTEXT="+r.Context, "LAB_KUBERNETES_VERSION="+r.KubernetesVersion,
	), bin, nil
}

// writeConfig writes the kubeconfig of the cluster to a file that is deleted with the
// cluster, and returns its path.
func writeConfig(r clusters.Running) (path string, err error) {
	if err := os.MkdirAll(r.Scratch, 0o700); err != nil {
		return "", err
	}
	path = filepath.Join(r.Scratch, "kubeconfig")
	return path, os.WriteFile(path, r.Config, 0o600)
}

func onPath(program string) bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// saveLogs saves the logs and events of the cluster. With --progress quiet, which hides the
// name of the directory, it does so only if --logs is set.
func saveLogs(c *command, ctx context.Context, progress *ui.Progress, r clusters.Running, o *runOptions) {
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
	if err := errors.Join(saveEvents(c, ctx, r, dir), c.Clusters.ExportLogs(ctx, r.Name, dir)); err != nil {
		progress.Warn("cannot save all logs: %v", err)
	}
	progress.Note("Saved logs and events in %s", dir)
}

// saveEvents writes the events of all namespaces into dir.
func saveEvents(c *command, ctx context.Context, r clusters.Running, dir string) error {
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

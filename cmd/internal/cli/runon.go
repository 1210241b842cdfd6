package cli

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
)

// runOn runs a command on a cluster. It returns [exited] if the command fails.
func (c *command) runOn(ctx context.Context, r clusters.Running, o *runOptions, args []string) error {
	env, bin, err := c.prepareRun(r)
	if err != nil {
		return err
	}
	path, err := c.lookUp(args[0], bin)
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
func (c *command) prepareRun(r clusters.Running) (env []string, bin string, err error) {
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
	return append(os.Environ(),
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

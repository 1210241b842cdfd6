package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const verbKubectl = "kubectl"

func newKubectl(c *command) *cobra.Command {
	return &cobra.Command{
		Use:   verbKubectl + " [NAME] -- ARGS...",
		Short: "Run kubectl on a cluster",
		Long: `Run kubectl on the cluster, regardless of the current context. NAME defaults to
"lab". lab runs the kubectl on PATH, else the one that "lab tools install" installed,
else the one in lab-engine. The namespace is that of the cluster's context in your
kubeconfig, which "lab ns" sets; --namespace after -- selects another. The exit code is
that of kubectl.`,
		Example: `  lab kubectl -- get pods --all-namespaces
  lab kubectl demo -- create deployment web --image=nginx`,
		ValidArgsFunction: c.completeNames,
		RunE:              func(cmd *cobra.Command, args []string) error { return runClient(c, cmd, args, c.findKubectl) },
	}
}

// splitAtDash separates the name of the cluster from the arguments of kubectl or helm.
func splitAtDash(c *command, cmd *cobra.Command, args []string) (name string, rest []string, err error) {
	dash := cmd.ArgsLenAtDash()
	if cmd.Flags().Changed(flagName) { // acceptName has put the name before the arguments
		dash = max(dash, 0) + 1
	}
	if dash < 0 && len(args) > 0 || dash > 1 {
		err := usage("the arguments of %s must follow --, with at most one name of a cluster before it", cmd.Name())
		before, after := "", args
		if _, unknown := c.Inventory.State.Get(args[0]); unknown == nil && dash < 0 {
			before, after = args[0]+" ", args[1:]
		}
		return "", nil, fault.WithHint(err, "for example: lab %s %s-- %s", cmd.Name(), before, strings.Join(after, " "))
	}
	if dash < 0 {
		dash = 0
	}
	return nameOf(args[:dash]), args[dash:], nil
}

// findKubectl returns the path of kubectl and the arguments that come first. It prefers the
// kubectl on PATH, which has the user's plugins.
func (c *command) findKubectl() (path string, args []string, err error) {
	if path, found := firstProgram("kubectl", c.Tools.Installer.Path("kubectl")); found {
		return path, nil, nil
	}
	path, args, err = c.Inventory.Set.Kubectl()
	if err != nil {
		err := fault.Errorf(fault.ErrUnavailable, "kubectl is not installed, and no flavor comes with one")
		return "", nil, fault.WithHint(err, "install it: lab tools install kubectl")
	}
	return path, args, nil
}

// firstProgram returns the path of the first program that exists. A candidate without a slash is looked up on PATH.
func firstProgram(candidates ...string) (path string, found bool) {
	for _, candidate := range candidates {
		if path, err := exec.LookPath(candidate); err == nil {
			return path, true
		}
	}
	return "", false
}

// clientEnv returns the environment of a program that uses a cluster by its kubeconfig file.
func (c *command) clientEnv(name, file string) []string {
	return append(userEnv(), "KUBECONFIG="+file, "KUBECACHEDIR="+c.Inventory.State.Cache(name))
}

// userEnv returns the environment of lab without the variables with which helm would use another cluster than that of
// KUBECONFIG, such as HELM_KUBECONTEXT and HELM_KUBEAPISERVER.
func userEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "HELM_KUBE") })
}

// runClient runs kubectl or helm on the cluster that args name. find returns its path and the arguments that come first.
func runClient(c *command, cmd *cobra.Command, args []string, find func() (string, []string, error)) error {
	name, args, err := splitAtDash(c, cmd, args)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	config, err := c.clientConfig(ctx, name)
	if err != nil {
		return err
	}
	path, first, err := find()
	if err != nil {
		return err
	}
	file, err := c.Inventory.State.Kubeconfig(name, config)
	if err != nil {
		return err
	}
	client := exec.Command(path, slices.Concat(first, args)...)
	client.Env = c.clientEnv(name, file)
	// The underlying writers, so that the program recognizes a terminal.
	client.Stdin, client.Stdout, client.Stderr = c.streams.In, c.streams.Out.Writer, c.streams.Err.Writer
	err = runChild(ctx, client, c.files)
	if _, failed := errors.AsType[exited](err); failed {
		noteStopped(c, ctx, name)
	}
	return err
}

// noteStopped prints how to start a cluster that is stopped. kubectl reports only that nothing answers.
func noteStopped(c *command, ctx context.Context, name string) {
	h, err := c.Inventory.Open(ctx, name)
	if err != nil {
		return
	}
	if live, err := h.Cluster(ctx); err != nil || live.State != providers.StateStopped {
		return
	}
	progress := c.progress("")
	defer progress.Close()
	progress.Note("Cluster %s is stopped. Start it: lab start %s", name, name)
}

// runChild runs cmd until it ends. cmd inherits files. It is in the process group of lab, so
// Ctrl-C reaches it directly; runChild forwards signals that were sent to lab alone.
func runChild(ctx context.Context, cmd *exec.Cmd, files []int) error {
	if err := startWith(files, cmd); err != nil {
		return fault.Errorf(fault.ErrUnavailable, "cannot run %s: %w", cmd.Path, err)
	}
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-ctx.Done():
			// An error means that the process has ended, which Wait reports.
			_ = terminate(cmd.Process)
		case <-done:
		}
	}()
	err := cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return exited(max(exit.ExitCode(), 1))
	}
	return err
}

package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const verbRun = "run"

// The exit codes of `lab run` itself. env and nohup use the same codes.
const (
	codeLabFailed     = 125
	codeNotExecutable = 126
	codeNotFound      = 127
)

type runOptions struct {
	upOptions
	keep  bool
	logs  string
	grace time.Duration
}

func newRun(c *command) *cobra.Command {
	o := &runOptions{}
	cmd := &cobra.Command{
		Use:   verbRun + " [flags] -- COMMAND [ARGS...]",
		Short: "Run a command on a temporary cluster",
		Long: `Create a cluster with a unique name, run the command, and delete the cluster, whether
the command succeeds or fails, and also when lab is interrupted. The command has a
KUBECONFIG for the cluster, a kubectl on PATH, and the variables LAB_CLUSTER,
LAB_CONTEXT and LAB_KUBERNETES_VERSION. Your own kubeconfig is not changed.

The command uses stdin, stdout and stderr of lab. Signals are forwarded to it; a command
that ignores a signal is killed after --grace. A second signal within two seconds of the
first counts as the same interruption. A signal that was ignored when lab started, as
under nohup, stays ignored.

If the command fails, lab saves the logs and events of the cluster in a new directory
below --logs, by default below the current directory. If the cluster does not become
ready, lab saves the logs of its nodes below --logs, by default below the directory for
temporary files. With --progress quiet, lab saves logs only if --logs is set.

If the cluster cannot be deleted, for example because lab was killed, the next lab
command or "lab gc" deletes it.

The exit code is that of the command. It is 125 if lab itself fails, 126 if the command
cannot be executed, 127 if it does not exist, and 130 if lab is interrupted before the
command starts.`,
		Example: `  lab run --flavor kwok -- go test ./...
  lab run -- sh -c 'kubectl apply -f app.yaml && ./check.sh'
  lab run --from base -- ./test.sh     start with the contents and addons of a snapshot`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.ArgsLenAtDash() != 0 || len(args) == 0 {
				return fault.WithHint(usage("the command must follow --, with only flags before it"),
					"for example: lab run -- kubectl get nodes")
			}
			return runRun(c, cmd, o, args)
		},
	}
	f := cmd.Flags()
	o.flags(f, c.Inventory.Set.Names())
	o.waitFlag(f)
	o.cacheFlag(f)
	f.BoolVar(&o.keep, "keep-on-failure", false, "keep the cluster if the command or an addon fails")
	o.setting(f, "ttl", "ttl", "time to live of a cluster that is kept, such as 2h (default: no expiry)")
	f.StringVar(&o.logs, "logs", "", "`directory` for the logs of a failure (default: see above)")
	f.DurationVar(&o.grace, "grace", 5*time.Second, "how long the command may take to end after a signal")
	return cmd
}

// ownCode sets the exit code of failures of lab, to tell them from failures of the command.
func ownCode(err error) error {
	if _, known := exitCode(err); known || errors.Is(err, context.Canceled) {
		return err
	}
	if code, _ := ui.Classify(err); code == codeNotExecutable || code == codeNotFound {
		return err
	}
	return ui.WithCode(err, codeLabFailed)
}

func runRun(c *command, cmd *cobra.Command, o *runOptions, args []string) error {
	ctx, name := cmd.Context(), clusters.RunName()
	_, request, err := upRequest(c, &o.upOptions, []string{name})
	if err != nil {
		return err
	}
	request.Spec.LogsDir = o.logs
	// Checked before the cluster is created, which takes a while.
	if _, err := lookUp(c, args[0], ""); err != nil {
		return err
	}
	progress := c.progress(name)
	defer func() { progress.Close() }()
	report := func(e event.Event) { progress.Report(e) }
	up, cancel := withTimeout(ctx, o.timeout)
	defer cancel()
	left, err := c.Runs.Run(up, request, clusters.Work{
		Do: func(r clusters.Running) error {
			progress.Close() // the command uses the terminal
			progress = c.progress(r.Name)
			return runOn(c, ctx, r, o, args)
		},
		Failed: func(r clusters.Running) {
			if ctx.Err() == nil { // after a signal, a kill may follow soon
				saveLogs(c, ctx, progress, r, o)
			}
		},
		Keep: func() bool { return o.keep && ctx.Err() == nil },
	}, report)
	progress.Close()
	if left != nil {
		progress.Warn("%v (the next lab command deletes the leftovers; to delete them now: lab gc)", left)
	}
	if left == nil && err != nil && o.keep {
		kept(c, ctx, progress, name)
	}
	return err
}

// kept prints how to use and delete a cluster that was kept.
func kept(c *command, ctx context.Context, progress *ui.Progress, name string) {
	cluster, err := c.Clusters.Status(context.WithoutCancel(ctx), name)
	if err != nil {
		return // its creation failed or was interrupted
	}
	c.watch(progress, cluster)
	progress.Note("The cluster was kept. Inspect it: lab kubectl %s -- get pods --all-namespaces    Delete it: lab down %s", name, name)
}

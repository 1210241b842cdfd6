package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/cmd/internal/ui"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const verbRun = "run"

// The exit codes of `lab run` that are not the command's own, as env, nohup and others
// have them.
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

func (c *command) run() *cobra.Command {
	o := &runOptions{}
	cmd := &cobra.Command{
		Use:   verbRun + " [flags] -- COMMAND [ARGS...]",
		Short: "Run a command on a cluster of its own",
		Long: `Create a cluster with a unique name, run the command, and delete the cluster, whether
the command succeeds or fails, and also when lab is interrupted. The command has a
KUBECONFIG for the cluster, a kubectl on PATH, and the variables LAB_CLUSTER,
LAB_CONTEXT and LAB_KUBERNETES_VERSION. Your own kubeconfig is not changed.

stdin, stdout and stderr are those of the command. Signals are forwarded to it; a
command that ignores the signal is killed after the grace period. If the command
fails, lab saves the cluster's logs and events in a directory; if the cluster does not
become ready, it saves the logs of its nodes. With --progress quiet, lab saves logs
only if --logs is set.

A second signal within two seconds of the first counts as the same interruption. A
signal that lab was started to ignore, as under nohup, stays ignored.

The exit code is that of the command; it is 125 if lab itself fails, 126 if the
command cannot be executed, 127 if it does not exist, and 130 if lab is interrupted
before the command begins. A cluster that could not be deleted, for example because lab
was killed, is deleted by the next call of lab, or by lab gc.`,
		Example: `  lab run --flavor kwok -- go test ./...
  lab run -- sh -c 'kubectl apply -f app.yaml && ./check.sh'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.ArgsLenAtDash() != 0 || len(args) == 0 {
				return fault.WithHint(usage("the command stands after --, and nothing but flags before it"),
					"for example: lab run --flavor kwok -- kubectl get nodes")
			}
			return c.runRun(cmd, o, args)
		},
	}
	f := cmd.Flags()
	o.flags(f, c.Lab.Set.Names())
	o.waitFlag(f)
	f.BoolVar(&o.keep, "keep-on-failure", false, "keep the cluster where the command or an addon fails")
	f.DurationVar(&o.ttl, "ttl", 0, "delete a cluster that was kept after this time (default: never)")
	f.StringVar(&o.logs, "logs", "", "the `directory` in which a directory NAME-logs with logs and events is made if the command fails (default: this one), or one with the logs of a cluster that does not come up (default: that of temporary files)")
	f.DurationVar(&o.grace, "grace", 5*time.Second, "how long the command may take to end when it is told to")
	return cmd
}

// ownCode keeps the failures of lab apart from those of the command.
func ownCode(err error) error {
	if _, known := exitCode(err); known || errors.Is(err, context.Canceled) {
		return err
	}
	if code, _ := ui.Classify(err); code == codeNotExecutable || code == codeNotFound {
		return err
	}
	return ui.WithCode(err, codeLabFailed)
}

func (c *command) runRun(cmd *cobra.Command, o *runOptions, args []string) error {
	ctx, name := cmd.Context(), lab.RunName()
	_, request, err := c.asked(&o.upOptions, cmd.Flags(), []string{name})
	if err != nil {
		return err
	}
	request.Spec.LogsDir = o.logs
	// Before the cluster, which takes a while to make.
	if _, err := c.lookUp(args[0], ""); err != nil {
		return err
	}
	progress := c.progress(name)
	defer func() { progress.Close() }()
	report := func(e event.Event) { progress.Report(e) }
	up, cancel := withTimeout(ctx, o.timeout)
	defer cancel()
	left, err := c.Lab.Run(up, request, lab.Work{
		Do: func(r lab.Running) error {
			progress.Close() // the terminal is the command's
			progress = c.progress(r.Name)
			return c.runOn(ctx, r, o, args)
		},
		Failed: func(r lab.Running) {
			if ctx.Err() == nil { // who cancels kills soon
				c.saveLogs(ctx, progress, r, o)
			}
		},
		Keep: func() bool { return o.keep && ctx.Err() == nil },
	}, report)
	progress.Close()
	if left != nil {
		progress.Warn("%v (what is left goes with the next call of lab, or now with lab gc)", left)
	}
	if left == nil && err != nil && o.keep {
		c.kept(ctx, progress, name)
	}
	return err
}

// kept says what remains.
func (c *command) kept(ctx context.Context, progress *ui.Progress, name string) {
	cluster, err := c.Lab.Status(context.WithoutCancel(ctx), name)
	if err != nil {
		return // there is none: its creation failed, or it was interrupted
	}
	c.watch(progress, cluster)
	progress.Note("The cluster was kept. Look at it: lab kubectl %s -- get pods --all-namespaces    Remove it: lab down %s", name, name)
}

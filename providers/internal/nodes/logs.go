package nodes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/cause"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/logs"
)

// WithLogs saves the logs of a cluster whose creation failed because of err, as [logs.Save]
// does. It returns the cause that the logs contain, or else err. The output of the tool is the
// detail of the error. If the engine does not answer any more, that is the cause. A cluster of
// which no node ran has no logs.
func (t Tool) WithLogs(ctx context.Context, name, parent string, err error, export func(ctx context.Context, dir string) error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	ctx = context.WithoutCancel(ctx) // it may have timed out
	found, failed := t.Find(ctx, name)
	if docker.Gone(failed) && !docker.Gone(err) {
		return fault.WithDetail(failed, whole(err))
	}
	ran := func(n docker.Container) bool { return n.Running() || !n.State.StartedAt.IsZero() }
	if failed != nil || !slices.ContainsFunc(found, ran) {
		return err
	}
	dir := logs.Save(ctx, name, parent, err, export)
	if dir != "" && t.Logs != nil {
		err = t.Because(err, dir, found)
	}
	return logs.Name(err, dir)
}

// Because returns err with the cause that the logs in dir contain. A creation that ran out of
// time still failed with a timeout.
func (t Tool) Because(err error, dir string, found []docker.Container) error {
	var logs []cause.Node
	for _, n := range found {
		l := t.Logs(n.Name)
		l.Name = n.Name
		if slices.Contains([]string{"exited", "dead", "restarting"}, n.State.Status) {
			l.Ended = fmt.Sprintf("exit code %d", n.State.ExitCode)
		}
		logs = append(logs, l)
	}
	c, ok := cause.Find(os.DirFS(dir), logs)
	if !ok {
		if fault.HintOf(err) == "" && strings.Contains(whole(err), kubeadm) {
			return t.hint(err, kubeadm, dir)
		}
		return err
	}
	why := errors.New(c.String())
	if errors.Is(err, context.DeadlineExceeded) {
		why = fmt.Errorf("%s (%w)", c, context.DeadlineExceeded)
	}
	why = fault.WithDetail(why, whole(err))
	if hint := fault.MachineHint(c.Said); hint != "" {
		return fault.WithHint(why, "%s", hint)
	}
	if c.Program == cause.NodeImage {
		return fault.WithHint(why, "use a node image: --image IMAGE")
	}
	return t.hint(why, c.Program, dir)
}

// kubeadm is the program with which the tools set up nodes.
const kubeadm = "kubeadm"

// hint names the keys of the tool's own configuration that may be wrong, and the directory of
// the logs.
func (t Tool) hint(err error, program, dir string) error {
	if t.Settings != nil {
		if keys := t.Settings(program); keys != "" {
			return fault.WithHint(err, "correct %s in the cluster configuration, or read the logs in %s", keys, dir)
		}
	}
	return fault.WithHint(err, "read the logs in %s", dir)
}

// whole returns the message of an error and its detail.
func whole(err error) string {
	if detail := fault.DetailOf(err); detail != "" {
		return err.Error() + "\n" + detail
	}
	return err.Error()
}

// lastLines is how many lines of a node's log LastWords reads.
const lastLines = 1000

// LastWords returns an error that says what happened to a node, with the reason in the last
// lines of its log. The log is the error's detail.
func LastWords(ctx context.Context, n docker.Container, what string) error {
	var log bytes.Buffer
	_ = docker.Logs(ctx, n.ID, lastLines, &log) // the error is better than none
	said, _ := cause.Reason(log.String())
	if said == "" {
		return errors.New(what)
	}
	err := fault.WithDetail(fmt.Errorf("%s: %s", what, said), log.String())
	if hint := fault.MachineHint(said); hint != "" {
		return fault.WithHint(err, "%s", hint)
	}
	return err
}

package minikube

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/scratch"
)

const (
	// lingers is how long the children of minikube may go on after it was ended: what they
	// requested from the engine can be removed only when it exists.
	lingers = 5 * time.Second

	// longestLine bounds how much of a line, and of the end of stderr, is kept, in bytes.
	longestLine = 1 << 16
)

// run runs minikube on a cluster, and passes its output to l. If minikube fails, or ctx ends,
// everything that it started has ended when run returns. Otherwise programs may remain that
// should, such as one that serves a mount of a virtual machine.
func (r *runner) run(ctx context.Context, tool program, name string, l *listener, args ...string) error {
	held, err := r.hold(name)
	if err != nil {
		return err
	}
	defer r.forget(name)
	defer held.Close()
	lines, stderr := &lineWriter{take: l.take}, &tail{}
	cmd := exec.CommandContext(ctx, tool.path, append(args, "--profile="+name, "--skip-audit")...)
	cmd.Env, cmd.Dir = append(docker.Env(ctx, r.environment(name)), r.temporary(name)...), r.scratch(name)
	cmd.Stdout, cmd.Stderr = lines, stderr
	cmd.WaitDelay = time.Second
	own(cmd, held) // so that only lab ends it, with its children
	if err = cmd.Start(); err == nil {
		note(held, cmd.Process.Pid)
		err = cmd.Wait()
		if err != nil && !errors.Is(err, exec.ErrWaitDelay) {
			endGroup(cmd.Process.Pid, r.lingers)
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil && !errors.Is(err, exec.ErrWaitDelay): // then a child remains and keeps the pipe open
		return l.failure(err, stderr.String())
	case l.said == 0:
		return l.failure(errMute, stderr.String())
	}
	return nil
}

// environment returns the environment of minikube: lab's own, in which the user may configure
// minikube, and directories of lab for the kubeconfig that minikube writes and for the cache of
// the kubectl that it runs.
func (r *runner) environment(name string) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		key, _, _ := strings.Cut(v, "=")
		return key == "KUBECONFIG" || key == "MINIKUBE_PROFILE" || key == "MINIKUBE_IN_STYLE"
	})
	if r.opts.Home != "" {
		env = append(env, "MINIKUBE_HOME="+r.opts.Home)
	}
	return append(env, kubeconfigVariable(r.scratch(name)), "KUBECACHEDIR="+filepath.Join(r.scratch(name), "cache"),
		"MINIKUBE_IN_STYLE=false", "MINIKUBE_WANTUPDATENOTIFICATION=false", "MINIKUBE_SUPPRESS_DOCKER_PERFORMANCE=true")
}

// kubeconfigVariable returns a variable of the environment that only the minikube processes of
// one cluster have, and their children.
func kubeconfigVariable(scratch string) string {
	return "KUBECONFIG=" + filepath.Join(scratch, "kubeconfig")
}

// temporary returns the variable that has minikube put its temporary files where lab removes
// them: minikube leaves them when it is ended. All minikube processes share their locks, so
// those stay where they are. If that fails, minikube uses the default directory.
func (r *runner) temporary(name string) []string {
	dir := filepath.Join(r.scratch(name), "tmp")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil
	}
	if err := shareLocks(dir); err != nil {
		return nil
	}
	return []string{"TMPDIR=" + dir}
}

// hold creates the directory of a cluster in which minikube may write, and returns a file that
// is locked as long as minikube, or a program that it started, runs.
func (r *runner) hold(name string) (*os.File, error) {
	if err := scratch.Make(r.scratch(name)); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	file, err := os.OpenFile(r.lockFile(name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if free, err := lock(file); err != nil || !free {
		file.Close()
		if err == nil {
			err = fault.WithHint(fault.Errorf(fault.ErrExists, "another minikube process is working on this cluster"),
				"wait until it has ended, then retry; or delete the cluster, which ends the process: lab down %s", name)
		}
		return nil, err
	}
	return file, nil
}

// forget removes the temporary files of minikube for a cluster, and the shared directory if it
// is empty then.
func (r *runner) forget(name string) {
	if providers.ValidateName(name) == nil { // another might be a path to another directory
		_ = scratch.Remove(r.scratch(name))
	}
}

// endAnother ends a minikube that outlived the lab which started it, see [endOther].
func (r *runner) endAnother(name string) error {
	return endOther(r.lockFile(name), kubeconfigVariable(r.scratch(name)), r.lingers)
}

// awaitOther waits until a minikube that outlived the lab which started it has ended. Ending it
// would leave what it does in the node half done. If ctx ends first, awaitOther returns ErrExists.
func (r *runner) awaitOther(ctx context.Context, name string, step *event.Step) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		held, err := r.hold(name)
		if err == nil {
			return held.Close()
		}
		if !errors.Is(err, fault.ErrExists) {
			return err
		}
		step.Progress("waiting for the minikube process of a lab that was killed")
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

func (r *runner) scratch(name string) string  { return filepath.Join(r.opts.Dir, name) }
func (r *runner) lockFile(name string) string { return filepath.Join(r.scratch(name), "lock") }

// lineWriter passes on what is written to it, line by line.
type lineWriter struct {
	take func(line []byte)
	rest []byte
}

// Write never fails.
func (w *lineWriter) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok && len(w.rest) < longestLine {
			return len(b), nil
		}
		if line = bytes.TrimSpace(line); len(line) > 0 {
			w.take(line)
		}
		w.rest = bytes.Clone(rest)
	}
}

// tail keeps the end of what is written to it.
type tail struct{ bytes.Buffer }

// Write never fails.
func (t *tail) Write(b []byte) (int, error) {
	_, _ = t.Buffer.Write(b) // of memory: never fails
	if extra := t.Len() - longestLine; extra > 0 {
		t.Next(extra)
	}
	return len(b), nil
}

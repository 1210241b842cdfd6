package kwok

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

const (
	// exitWithin is how long boot waits for a failed engine to exit by itself, so that it can report
	// its exit status and its last log lines.
	exitWithin = 2 * time.Second

	// exitFailed is the exit code of an engine that failed or rejects a configuration.
	exitFailed = 1
	// exitUsage is the exit code if the engine does not know the command: it is older than lab.
	exitUsage = 2
	// exitLocked is the exit code if another engine runs in the directory.
	exitLocked = 3
)

// errNotReady is the error of an engine that closed its pipe before the cluster was ready.
var errNotReady = errors.New("it ended before the cluster was ready")

// engine is a lab-engine that this process started. It keeps running when this process ends.
type engine struct {
	dir   string
	cmd   *exec.Cmd
	pipe  *os.File      // it reports its progress here while it starts
	ended chan struct{} // closed when it has ended
}

// boot starts the engine of the cluster in dir, and returns when the cluster is ready. On an error, and
// when ctx ends, it ends the engine: in order within grace, or by killing it if grace is 0.
func boot(ctx context.Context, path, dir string, grace time.Duration, report event.Reporter) error {
	e, err := launch(path, dir)
	if err != nil {
		return err
	}
	err = e.follow(ctx, report)
	if err == nil {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, exitWithin)
	defer cancel()
	byItself := e.wait(limited)
	e.end(grace)
	return e.explain(err, byItself)
}

// launch starts the program at path in a new session, so that Ctrl-C in the terminal of lab does not
// end the engine.
func launch(path, dir string) (*engine, error) {
	output, err := openOutput(dir)
	if err != nil {
		return nil, cannotWrite(dir, err)
	}
	defer output.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()

	// No CommandContext, because the engine must outlive this call.
	cmd := exec.Command(path, "serve", "--dir", dir, "--report-fd", "3")
	cmd.Dir = dir
	cmd.Env = environment()
	cmd.Stdout, cmd.Stderr = output, output
	cmd.ExtraFiles = []*os.File{w} // the first of them is descriptor 3
	cmd.SysProcAttr = detached()
	if err := cmd.Start(); err != nil {
		r.Close()
		return nil, cannotRun(path, err)
	}
	e := &engine{dir: dir, cmd: cmd, pipe: r, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // stores the status in cmd, and leaves no zombie
		close(e.ended)
	}()
	return e, nil
}

// openOutput opens the file for the output of the engine, mainly panics. It keeps the previous file,
// which contains the reason why the engine died before.
func openOutput(dir string) (*os.File, error) {
	logs := filepath.Join(dir, "logs")
	if err := os.MkdirAll(logs, 0o700); err != nil {
		return nil, err
	}
	path := filepath.Join(logs, "panic.log")
	if info, err := os.Stat(path); err == nil && info.Size() > 0 {
		if err := os.Rename(path, filepath.Join(logs, "panic.previous.log")); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}

// follow reports the steps of the engine until the cluster is ready. It returns the error of the
// engine, errNotReady, or the error of ctx.
func (e *engine) follow(ctx context.Context, report event.Reporter) (err error) {
	stop := context.AfterFunc(ctx, func() { e.pipe.Close() })
	defer stop()
	defer e.pipe.Close()

	steps := tracker{report: report, open: map[string]*event.Step{}}
	defer func() { steps.endAll(err) }()
	for lines := bufio.NewScanner(e.pipe); lines.Scan(); {
		switch said := steps.take(lines.Bytes()); {
		case said.Ready:
			return ctx.Err() // the reporter may have cancelled ctx
		case said.Error != "":
			err = errors.New(said.Error)
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		return errNotReady
	}
	return err
}

// end ends the engine, and returns when it has ended. It takes no context, because an interrupted call
// must clean up, too.
func (e *engine) end(grace time.Duration) {
	if grace > 0 {
		_ = e.cmd.Process.Signal(syscall.SIGTERM) // fails only if it has ended
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if e.wait(ctx) {
			return
		}
	}
	_ = e.cmd.Process.Kill()
	<-e.ended
}

// wait waits until the engine or ctx ends, and reports whether the engine has ended.
func (e *engine) wait(ctx context.Context) bool {
	select {
	case <-e.ended:
	case <-ctx.Done():
	}
	select { // if both have ended, the engine counts
	case <-e.ended:
		return true
	default:
		return false
	}
}

// explain adds the exit status of the engine, if it ended by itself, and its last log lines to the
// reason why it did not become ready.
func (e *engine) explain(reason error, byItself bool) error {
	if errors.Is(reason, context.Canceled) {
		return reason // the user interrupted it, and needs no reason
	}
	err, hint := fmt.Errorf("%s: %w", engineName, reason), ""
	switch {
	case errors.Is(reason, context.DeadlineExceeded):
		err, hint = fmt.Errorf("%s was not ready in time: %w", engineName, reason), "allow more time with --timeout"
	case byItself && e.cmd.ProcessState.ExitCode() == exitLocked:
		return fmt.Errorf("another %s runs this cluster", engineName)
	case byItself:
		err = fmt.Errorf("%s: %w (%s)", engineName, reason, e.cmd.ProcessState)
	}
	if words := lastWords(e.dir); words != "" {
		err = fmt.Errorf("%w\n%s", err, words)
	}
	return fault.WithHint(err, "%s", cmp.Or(hint, remedy(err, e.dir)))
}

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
	// lastGasp is how long an engine that gave up may take to end by itself, so
	// that its exit status and its last words can be had.
	lastGasp = 2 * time.Second

	// exitFailed is the status of an engine that failed, or refuses a configuration.
	exitFailed = 1
	// exitLocked is the status of an engine that found another one at work.
	exitLocked = 3
)

// errNotReady is an engine that went quiet before the cluster was ready.
var errNotReady = errors.New("it ended before the cluster was ready")

// engine is a lab-engine that this process started. It outlives this process
// unless it is told to end.
type engine struct {
	dir   string
	cmd   *exec.Cmd
	pipe  *os.File      // on which it reports while it starts
	ended chan struct{} // closed once it has ended and was waited for
}

// boot runs the engine of the cluster in dir, and returns once it is ready. On
// error, and when ctx ends, it has ended: asked to first, where grace is not 0.
func boot(ctx context.Context, path, dir string, grace time.Duration, report event.Reporter) error {
	e, err := launch(path, dir)
	if err != nil {
		return err
	}
	err = e.follow(ctx, report)
	if err == nil {
		return nil
	}
	gasp, cancel := context.WithTimeout(ctx, lastGasp)
	defer cancel()
	byItself := e.wait(gasp)
	e.end(grace)
	return e.explain(err, byItself)
}

// launch starts the program at path in a session of its own, so that the Ctrl-C
// which ends lab does not end the cluster.
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

	// No CommandContext: the engine is to outlive the call that started it.
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
		_ = cmd.Wait() // its status is kept in cmd; waited for, it leaves no zombie
		close(e.ended)
	}()
	return e, nil
}

// openOutput opens the file for what the engine writes to its standard streams:
// panics, above all. It keeps the one before, which tells why a cluster died that
// is being repaired.
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

// follow passes on what the engine reports until it is ready. It returns the
// engine's own error, errNotReady, or that of ctx.
func (e *engine) follow(ctx context.Context, report event.Reporter) (err error) {
	stop := context.AfterFunc(ctx, func() { e.pipe.Close() })
	defer stop()
	defer e.pipe.Close()

	steps := tracker{report: report, open: map[string]*event.Step{}}
	defer func() { steps.endAll(err) }()
	for lines := bufio.NewScanner(e.pipe); lines.Scan(); {
		switch said := steps.take(lines.Bytes()); {
		case said.Ready:
			return ctx.Err() // a step that it reported may have been the cause to cancel
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

// end makes the engine end, and returns when it has. It takes no context: whoever
// is interrupted has to clean up all the same.
func (e *engine) end(grace time.Duration) {
	if grace > 0 {
		_ = e.cmd.Process.Signal(syscall.SIGTERM) // fails where it has ended
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if e.wait(ctx) {
			return
		}
	}
	_ = e.cmd.Process.Kill()
	<-e.ended
}

// wait waits until the engine has ended or ctx has, and tells whether it has.
func (e *engine) wait(ctx context.Context) bool {
	select {
	case <-e.ended:
	case <-ctx.Done():
	}
	select { // both may be true
	case <-e.ended:
		return true
	default:
		return false
	}
}

// explain adds to the reason why the engine did not get ready how it ended, if it
// did so by itself, and the last lines that it logged.
func (e *engine) explain(reason error, byItself bool) error {
	if errors.Is(reason, context.Canceled) {
		return reason // whoever interrupts does not ask for reasons
	}
	err, hint := fmt.Errorf("%s: %w", engineName, reason), ""
	switch {
	case errors.Is(reason, context.DeadlineExceeded):
		err, hint = fmt.Errorf("%s was not ready in time: %w", engineName, reason), "give it more time with --timeout"
	case byItself && e.cmd.ProcessState.ExitCode() == exitLocked:
		return fmt.Errorf("another %s is at work on this cluster", engineName)
	case byItself:
		err = fmt.Errorf("%s: %w (%s)", engineName, reason, e.cmd.ProcessState)
	}
	if words := lastWords(e.dir); words != "" {
		err = fmt.Errorf("%w\n%s", err, words)
	}
	return fault.WithHint(err, "%s", cmp.Or(hint, remedy(err, e.dir)))
}

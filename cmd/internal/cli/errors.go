package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// exited is the exit code of a command that has printed everything itself. Nothing is
// printed for it.
type exited int

func (e exited) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// codeInterrupted is the exit code of a command that an interrupt ended.
const codeInterrupted = 130

// stdoutName is the path of standard output in errors of package os.
const stdoutName = "/dev/stdout"

func exitCode(err error) (code int, ok bool) {
	if err == nil {
		return 0, true
	}
	var e exited
	if errors.As(err, &e) {
		return int(e), true
	}
	// The reader of stdout has closed it, as in `lab list | head -1`.
	if w, ok := errors.AsType[*fs.PathError](err); ok && w.Path == stdoutName && errors.Is(w, syscall.EPIPE) {
		return 1, true
	}
	return 0, false
}

// usage returns an error in the command line.
func usage(format string, args ...any) error {
	return fault.Errorf(fault.ErrInvalid, format, args...)
}

// explain wraps err with the error of ctx if ctx has ended and err does not say so, and adds
// a hint to a timeout that has none.
func explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		// err is a consequence of the interrupt.
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case fault.HintOf(err) == "" && errors.Is(err, context.DeadlineExceeded):
		return fault.WithHint(err, "increase the timeout: --timeout 20m")
	}
	return err
}

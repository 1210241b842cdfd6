package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// exited is the error of a command whose own exit code is the result, and which
// has said all there is to say.
type exited int

func (e exited) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// stdoutName is what package os calls the stream in errors.
const stdoutName = "/dev/stdout"

func exitCode(err error) (code int, ok bool) {
	if err == nil {
		return 0, true
	}
	var e exited
	if errors.As(err, &e) {
		return int(e), true
	}
	// Whoever reads stdout has seen enough, as in `lab list | head -1`.
	if w, ok := errors.AsType[*fs.PathError](err); ok && w.Path == stdoutName && errors.Is(w, syscall.EPIPE) {
		return 1, true
	}
	return 0, false
}

// usage is an error in what was typed.
func usage(format string, args ...any) error {
	return fault.Errorf(fault.ErrInvalid, format, args...)
}

// explain says of errors that came with the end of ctx that they did, and gives those
// of a timeout that have no hint of their own one.
func explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		// Something broke because of the interrupt, and does not know it.
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case fault.HintOf(err) == "" && errors.Is(err, context.DeadlineExceeded):
		return fault.WithHint(err, "give it more time: --timeout 20m")
	}
	return err
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/dir"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/engine"
	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/supervise"
)

func runServe(args []string, errOut io.Writer) int {
	flags := flag.NewFlagSet("lab-engine serve", flag.ContinueOnError)
	flags.SetOutput(errOut)
	directory := flags.String("dir", "", "directory of the cluster")
	fd := flags.Int("report-fd", 0, "file descriptor of the pipe for progress reports")
	if err := flags.Parse(args); err != nil || *directory == "" || flags.NArg() > 0 {
		fmt.Fprint(errOut, usage)
		return exitUsage
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	to := newReporter(*fd)
	defer to.close()
	err := engine.Serve(ctx, *directory, to.step, to.ready)
	if err == nil {
		return exitOK
	}
	to.write(message{Error: err.Error()})
	fmt.Fprintf(errOut, "lab-engine: %v\n", err)
	if errors.Is(err, dir.ErrLocked) {
		return exitLocked
	}
	return exitFailed
}

// runCheck prints the error of the configuration in, if any.
func runCheck(in io.Reader, errOut io.Writer) int {
	native, err := io.ReadAll(in)
	if err == nil {
		err = engine.Check(context.Background(), native)
	}
	if err != nil {
		fmt.Fprintln(errOut, err)
		return exitFailed
	}
	return exitOK
}

// message is one line of a report.
type message struct {
	Step  string          `json:"step,omitempty"`
	State supervise.State `json:"state,omitempty"`
	Ready bool            `json:"ready,omitempty"`
	Error string          `json:"error,omitempty"`
}

// reporter writes messages to a pipe. It closes the pipe when nobody reads it; that is not an error.
type reporter struct {
	mu   sync.Mutex
	pipe *os.File // nil when it is closed
}

func newReporter(fd int) *reporter {
	if fd <= 0 {
		return &reporter{}
	}
	return &reporter{pipe: os.NewFile(uintptr(fd), "report")}
}

func (r *reporter) step(step string, state supervise.State) {
	r.write(message{Step: step, State: state})
}

func (r *reporter) ready() {
	r.write(message{Ready: true})
	r.close()
}

func (r *reporter) write(m message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pipe != nil && json.NewEncoder(r.pipe).Encode(m) != nil {
		r.hangUp()
	}
}

func (r *reporter) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hangUp()
}

func (r *reporter) hangUp() {
	if r.pipe != nil {
		r.pipe.Close()
		r.pipe = nil
	}
}

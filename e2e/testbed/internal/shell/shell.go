// Package shell runs programs for the steps of the test bed.
package shell

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Cmd is a command. Its output goes to Log, if that is set.
type Cmd struct {
	Dir   string
	Env   []string // added to the environment
	Stdin io.Reader
	Log   io.Writer
}

// Run runs the command. If it fails, the error contains the last line of its output.
func (c Cmd) Run(ctx context.Context, name string, args ...string) error {
	_, err := c.Output(ctx, name, args...)
	return err
}

// Output runs the command as Run does, and returns its stdout.
func (c Cmd) Output(ctx context.Context, name string, args ...string) (string, error) {
	var out, all bytes.Buffer
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.Stdin = c.Dir, append(os.Environ(), c.Env...), c.Stdin
	log := c.Log
	if log == nil {
		log = io.Discard
	}
	fmt.Fprintf(log, "+ %s %s\n", name, strings.Join(args, " "))
	both := io.MultiWriter(log, &all)
	cmd.Stdout, cmd.Stderr = io.MultiWriter(both, &out), both
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w: %s", name, first(args), err, lastLine(all.String()))
	}
	return out.String(), nil
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}

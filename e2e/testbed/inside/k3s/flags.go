//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// flags contains the values of k3s's flags. Unknown flags are accepted and ignored, because k3d and its users may
// pass any flag of k3s.
type flags map[string][]string

func parse(args []string) flags {
	all := flags{}
	for i := 0; i < len(args); i++ {
		name, value, found := strings.Cut(strings.TrimLeft(args[i], "-"), "=")
		if !strings.HasPrefix(args[i], "-") {
			continue
		}
		if !found && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-") {
			i++
			value = args[i]
		}
		all[name] = append(all[name], value)
	}
	return all
}

func (f flags) last(name string) string {
	if values := f[name]; len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// disabled reports whether --disable contains a component, alone or in a list.
func (f flags) disabled(component string) bool {
	return slices.ContainsFunc(f["disable"], func(list string) bool {
		return slices.Contains(strings.Split(list, ","), component)
	})
}

// say prints a line in the format of k3s's log. k3d waits for some of these lines.
func say(message string) {
	fmt.Printf("time=%q level=info msg=%q\n", time.Now().UTC().Format(time.RFC3339), message)
}

func complain(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "k3s:", err)
	}
}

// execute runs a program. Its output goes to the node's log.
func execute(ctx context.Context, stdin io.Reader, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}

// poll repeats try until it succeeds, for at most limit.
func poll(ctx context.Context, limit time.Duration, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}

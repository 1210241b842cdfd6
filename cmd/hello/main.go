// Command hello is the application that the exercises deploy: a small web server that can show its version, settings
// and logs, and that can be made to fail. Without a command it serves. Its image has no shell, so it brings the
// commands that exercises need inside a cluster.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

const usage = `hello is the sample application of lab's exercises.

Usage:
  hello                      serve HTTP on $HELLO_ADDR, by default :8080
  hello load URL             send requests at a constant rate, and print the answers of each half second as JSON
  hello get URL              print the body of an answer; exit code 1 if its status is not 2xx
  hello fault [NAME=VALUE]…  print or change the faults of the server in this pod: unready, errors, latency, leak, crash
  hello work                 work for a while and exit, as a Job does

Run "hello COMMAND -h" for the flags of a command. The variables of the server are in docs/hello.md.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// errUsage is the error of a call with wrong arguments, which has been explained already.
var errUsage = errors.New("wrong usage")

// run runs a command, and returns the exit code.
func run(ctx context.Context, args []string, env lookup, stdout, stderr io.Writer) int {
	command := "serve"
	if len(args) > 0 {
		command, args = args[0], args[1:]
	}
	err := errUsage
	switch command {
	case "serve":
		err = serve(ctx, env, stdout)
	case "load":
		err = load(ctx, args, stdout, stderr)
	case "get":
		err = get(ctx, args, stdout)
	case "fault":
		err = fault(ctx, args, env, stdout)
	case "work":
		err = work(ctx, args, stdout, stderr)
	case "help", "-h", "--help":
		fmt.Fprint(stdout, usage)
		return 0
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprint(stderr, usage)
		return 2
	}
	fmt.Fprintln(stderr, "hello:", err)
	return 1
}

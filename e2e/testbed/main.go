//go:build linux

// Command testbed builds what the e2e suite needs on a Linux machine without a container registry: a Docker Engine,
// node images for kind, k3d and minikube, the tools, and images of workloads.
//
//	testbed up               builds what is missing or out of date
//	testbed observability    does the same, and builds a node image for kube-prometheus-stack
//	testbed down             stops the Docker Engine if up started it
//	testbed env              prints shell exports with which lab uses the test bed
//	testbed show             prints, as JSON, the flags with which the tools use the test bed
//
// The files are in $LAB_TESTBED_DIR, by default lab-testbed in the user's cache directory. With
// LAB_E2E_IMAGES=upstream, up builds only the tools and the workloads, and the published images are used.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "testbed:", err)
		if hint := fault.HintOf(err); hint != "" {
			fmt.Fprintln(os.Stderr, "hint:", hint)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%w: usage: testbed up|observability|down|env|show", fault.ErrInvalid)
	}
	bed, err := newBed()
	if err != nil {
		return err
	}
	switch args[0] {
	case "up":
		return bed.up(ctx, false)
	case "observability":
		return bed.up(ctx, true)
	case "down":
		return bed.down(ctx)
	case "env":
		return bed.env(os.Stdout)
	case "show":
		return bed.show(os.Stdout)
	default:
		return fmt.Errorf("%w: no command %q: testbed up|observability|down|env|show", fault.ErrInvalid, args[0])
	}
}

func (b bed) down(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	stopped, err := b.engine().Down(ctx)
	if err != nil {
		return err
	}
	if stopped {
		fmt.Fprintln(os.Stderr, "stopped the Docker Engine that the test bed started")
	} else {
		fmt.Fprintln(os.Stderr, "nothing to stop: no Docker Engine of the test bed runs")
	}
	return nil
}

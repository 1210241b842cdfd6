//go:build linux

// Command testbed makes what the e2e suite needs on a Linux machine without a container registry: a Docker Engine,
// node images for kind, k3d and minikube, the tools themselves, and things to run in their clusters.
//
//	testbed up     makes what is missing or out of date
//	testbed down   stops the Docker Engine that up started, if it did
//	testbed dir    prints where it keeps everything: $LAB_TESTBED_DIR, or lab-testbed in the user's cache
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "testbed:", err)
		if hint := providers.HintOf(err); hint != "" {
			fmt.Fprintln(os.Stderr, "hint:", hint)
		}
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%w: usage: testbed up|down|dir", providers.ErrInvalid)
	}
	bed, err := newBed()
	if err != nil {
		return err
	}
	switch args[0] {
	case "up":
		return bed.up(ctx)
	case "down":
		return bed.down(ctx)
	case "dir":
		fmt.Println(bed.dir)
		return nil
	default:
		return fmt.Errorf("%w: no command %q: testbed up|down|dir", providers.ErrInvalid, args[0])
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

//go:build linux

// Command k3s stands in for k3s in the test bed's node image for k3d. It accepts k3s's commands, flags and
// environment, prints the log lines for which k3d waits, and writes its files to k3s's paths. Internally, kubeadm
// sets up the components of Kubernetes.
//
//	k3s server [flags]    a control plane that also runs pods; with $K3S_URL, a further one of that cluster
//	k3s agent [flags]     a node of the cluster at $K3S_URL
//	k3s kubectl …         kubectl
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "k3s:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: k3s server|agent|kubectl")
	}
	switch args[0] {
	case "server", "agent":
		n, err := newNode(args[0], args[1:])
		if err != nil {
			return err
		}
		return n.run(ctx)
	case "kubectl":
		path, err := exec.LookPath("kubectl")
		if err != nil {
			return err
		}
		return syscall.Exec(path, args, os.Environ())
	default:
		return fmt.Errorf("no command %q: k3s server|agent|kubectl", args[0])
	}
}

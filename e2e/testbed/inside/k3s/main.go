//go:build linux

// Command k3s stands in for k3s in the test bed's node image for k3d: it takes k3s's commands, flags and environment,
// says what k3s says when a step is done, and puts its files where k3s puts them, so that k3d and whoever uses it see
// no difference. Inside are the components of Kubernetes itself, set up by kubeadm.
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

// Package incluster starts and ends programs that run as pods, with the address and the token from the kubelet.
package incluster

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"k8s.io/client-go/rest"
)

// Main calls run with a context that ends on SIGINT and SIGTERM and with the configuration of the cluster's API, and
// returns the exit code of the program called name. It prints errors to stderr.
func Main(name string, stderr io.Writer, run func(context.Context, *rest.Config) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	config, err := rest.InClusterConfig()
	if err == nil {
		err = run(ctx, config)
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", name, err)
		return 1
	}
	return 0
}

// Command tcp-proxy forwards TCP connections. It stands in for the proxies of two tools, reads their configuration,
// and reloads it when it changes:
//
//	k3d's proxy, without arguments: /etc/confd/values.yaml contains the ports and their servers
//	kind's Envoy for several control planes, with -c FILE: cds.yaml next to FILE contains the
//	servers, lds.yaml the port
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"reflect"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	defer stop()
	read := func() (routes, error) { return readK3d("/etc/confd/values.yaml") }
	if len(os.Args) == 3 && os.Args[1] == "-c" {
		dir := filepath.Dir(os.Args[2])
		read = func() (routes, error) {
			return readEnvoy(filepath.Join(dir, "lds.yaml"), filepath.Join(dir, "cds.yaml"))
		}
	}
	follow(ctx, read)
}

// follow serves the routes that read returns, and reads them again twice a second, until ctx ends.
func follow(ctx context.Context, read func() (routes, error)) {
	var now routes
	stop := func() {}
	defer func() { stop() }()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		next, err := read()
		if err == nil && !reflect.DeepEqual(next, now) {
			stop()
			stop, err = serve(ctx, next)
			now = next
			// k3d waits for this line in the log of its proxy.
			fmt.Printf("%d ports: start worker processes\n", len(next))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "tcp-proxy:", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

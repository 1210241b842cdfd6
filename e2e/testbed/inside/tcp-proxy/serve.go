package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// serve listens on every port and forwards to its servers in turn. The returned function stops the listeners and
// waits for them; open connections continue.
func serve(ctx context.Context, all routes) (stop func(), err error) {
	var listeners []net.Listener
	var wg sync.WaitGroup
	stop = func() {
		for _, l := range listeners {
			l.Close()
		}
		wg.Wait()
	}
	for port, servers := range all {
		l, err := net.Listen("tcp", ":"+strconv.Itoa(port))
		if err != nil {
			stop()
			return func() {}, err
		}
		listeners = append(listeners, l)
		wg.Go(func() { accept(ctx, l, servers) })
	}
	return stop, nil
}

func accept(ctx context.Context, l net.Listener, servers []string) {
	var next atomic.Uint64
	for {
		client, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "tcp-proxy:", err)
			continue
		}
		go forward(ctx, client, servers, int(next.Add(1)))
	}
}

// forward connects client to the first server, starting at number first, that accepts a connection.
func forward(ctx context.Context, client net.Conn, servers []string, first int) {
	defer client.Close()
	dialer := net.Dialer{Timeout: 2 * time.Second}
	for i := range servers {
		server, err := dialer.DialContext(ctx, "tcp", servers[(first+i)%len(servers)])
		if err != nil {
			continue
		}
		defer server.Close()
		var wg sync.WaitGroup
		wg.Go(func() { pipe(server, client) })
		wg.Go(func() { pipe(client, server) })
		wg.Wait()
		return
	}
}

// pipe copies until from ends, and closes the other side for writing.
func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// Package egress connects the API server to the network of the cluster. That network does not exist,
// because no pods run. Without the proxy, the API server would dial webhooks and aggregated APIs over the
// default route of the machine, where another server may answer. The proxy rejects such connections at
// once. It accepts connections to the engine itself, and to servers outside the cluster that users added
// to a Service as endpoints.
package egress

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// handshake is the timeout for the request of a caller, and for each dial.
const handshake = 10 * time.Second

// Proxy is an HTTP CONNECT proxy. The zero Proxy rejects all addresses.
type Proxy struct {
	// Routes returns the addresses to dial for an address, in the order to try them. It returns an error
	// with the reason if there are none.
	Routes func(ctx context.Context, address string) ([]string, error)
}

// Listen creates the socket of the proxy. It replaces a socket that a killed engine left.
func Listen(socket string) (net.Listener, error) {
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return net.Listen("unix", socket)
}

// Serve accepts connections until ctx is cancelled, then closes all of them and returns nil. It closes
// the listener.
func (p Proxy) Serve(ctx context.Context, listener net.Listener) error {
	var calls sync.WaitGroup
	defer calls.Wait()
	defer listener.Close() // also if Accept fails
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	for {
		conn, err := listener.Accept()
		switch {
		case err == nil:
			calls.Go(func() { p.answer(ctx, conn) })
		case ctx.Err() != nil:
			return nil
		default:
			return err
		}
	}
}

// answer handles one connection, until the tunnel ends.
func (p Proxy) answer(ctx context.Context, caller net.Conn) {
	defer caller.Close()
	defer context.AfterFunc(ctx, func() { caller.Close() })()

	caller.SetReadDeadline(time.Now().Add(handshake))
	incoming := bufio.NewReader(caller)
	request, err := http.ReadRequest(incoming)
	if err != nil {
		return
	}
	caller.SetReadDeadline(time.Time{})
	if request.Method != http.MethodConnect {
		say(caller, http.StatusMethodNotAllowed, "only CONNECT is supported")
		return
	}
	target, err := p.dial(ctx, request.Host)
	if err != nil {
		say(caller, http.StatusBadGateway, err.Error())
		return
	}
	defer target.Close()
	defer context.AfterFunc(ctx, func() { target.Close() })()
	if say(caller, http.StatusOK, "go ahead") == nil {
		join(caller, incoming, target)
	}
}

// dial returns a connection to the first route of an address that answers.
func (p Proxy) dial(ctx context.Context, address string) (net.Conn, error) {
	if p.Routes == nil {
		return nil, refuse(address)
	}
	real, err := p.Routes(ctx, address)
	if err != nil {
		return nil, err
	}
	err = refuse(address)
	for _, at := range real {
		var conn net.Conn
		if conn, err = (&net.Dialer{Timeout: handshake}).DialContext(ctx, "tcp", at); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// say writes a response with the message in the status line, because the API server includes the status
// line in its errors.
func say(w io.Writer, code int, words string) error {
	_, err := fmt.Fprintf(w, "HTTP/1.1 %d %s\r\n\r\n", code, strings.ReplaceAll(words, "\n", " "))
	return err
}

// join copies in both directions until both have ended. When one direction ends, join closes only that
// direction, so that the other can continue.
func join(caller net.Conn, fromCaller io.Reader, target net.Conn) {
	var back sync.WaitGroup
	back.Go(func() {
		io.Copy(caller, target)
		closeWrite(caller)
	})
	io.Copy(target, fromCaller)
	closeWrite(target)
	back.Wait()
}

func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
}

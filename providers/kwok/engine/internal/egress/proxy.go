// Package egress is the only way from the API server into the cluster's network,
// which does not exist: no pod runs, so no address of the cluster is anybody's.
// Left to itself, the API server would dial webhooks and aggregated APIs by the
// machine's default route, where a stranger may answer. This proxy refuses them,
// at once and by name, and lets through what the engine itself answers, and the
// servers outside the cluster that users made endpoints of a Service.
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

// handshake is how long a caller may take to say where it wants to go.
const handshake = 10 * time.Second

// Proxy answers HTTP CONNECT. The zero Proxy refuses everything.
type Proxy struct {
	// Routes returns what to dial for an address, tried in order, or an error that
	// says why there is nothing.
	Routes func(ctx context.Context, address string) ([]string, error)
}

// Listen makes the proxy's socket, in place of one that a killed engine left.
func Listen(socket string) (net.Listener, error) {
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return net.Listen("unix", socket)
}

// Serve answers until ctx is cancelled, then hangs up on everybody and returns
// nil. It closes the listener.
func (p Proxy) Serve(ctx context.Context, listener net.Listener) error {
	var calls sync.WaitGroup
	defer calls.Wait()
	defer listener.Close() // a caller may win against the one below
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

// answer handles one connection, from its CONNECT to the end of the tunnel.
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
		say(caller, http.StatusMethodNotAllowed, "only CONNECT is understood here")
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

// dial returns a connection to the first of an address's routes that answers.
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

// say answers in the status line: it is the part of an answer that the API server
// repeats to whoever waits for it.
func say(w io.Writer, code int, words string) error {
	_, err := fmt.Fprintf(w, "HTTP/1.1 %d %s\r\n\r\n", code, strings.ReplaceAll(words, "\n", " "))
	return err
}

// join copies both ways until both are done. One way ending is passed on, so that
// the other can still finish what it has to say.
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

package egress_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/egress"
)

// serve runs a proxy that knows one address, and returns its socket.
func serve(t *testing.T, known, real string) (socket string, stop func()) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	listener, err := egress.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	proxy := egress.Proxy{Routes: func(_ context.Context, address string) ([]string, error) {
		if address == known {
			return []string{real}, nil
		}
		return nil, nil
	}}
	go func() { ended <- proxy.Serve(ctx, listener) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
	t.Cleanup(stop)
	return socket, stop
}

// call sends a request to the proxy and returns the connection and the first line
// of the answer.
func call(t *testing.T, socket, request string) (net.Conn, *bufio.Reader, string) {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprint(conn, request)
	r := bufio.NewReader(conn)
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return conn, r, strings.TrimSpace(line)
}

func TestRefusesInItsOwnWords(t *testing.T) {
	t.Parallel()
	socket, _ := serve(t, "127.0.0.1:10250", "127.0.0.1:1")
	tests := map[string]struct{ request, want string }{
		"a service": {
			"CONNECT 10.96.3.4:443 HTTP/1.1\r\nHost: x\r\n\r\n",
			"HTTP/1.1 502 this cluster runs no pods, so nothing can answer at 10.96.3.4:443",
		},
		"a name": {
			"CONNECT db.shop.svc:443 HTTP/1.1\r\nHost: x\r\n\r\n",
			"HTTP/1.1 502 this cluster runs no pods, so nothing can answer at db.shop.svc:443",
		},
		"another local port": {
			"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n",
			"HTTP/1.1 502 this cluster runs no pods, so nothing can answer at 127.0.0.1:22",
		},
		"no CONNECT": {
			"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
			"HTTP/1.1 405 only CONNECT is supported",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, _, got := call(t, socket, test.request); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestTunnelsBothWays(t *testing.T) {
	t.Parallel()
	socket, _ := serve(t, "node:10250", echo(t))
	conn, r, status := call(t, socket, "CONNECT node:10250 HTTP/1.1\r\nHost: x\r\n\r\n")
	if status != "HTTP/1.1 200 go ahead" {
		t.Fatal(status)
	}
	fmt.Fprint(conn, "hello")
	conn.(*net.UnixConn).CloseWrite()
	if _, err := r.ReadString('\n'); err != nil { // the empty line after the status
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); string(got) != "hello" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestStoppingHangsUp(t *testing.T) {
	t.Parallel()
	socket, stop := serve(t, "node:10250", echo(t))
	_, r, _ := call(t, socket, "CONNECT node:10250 HTTP/1.1\r\nHost: x\r\n\r\n")
	silent, err := net.Dial("unix", socket) // says nothing at all
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	stop()
	if _, err := io.ReadAll(r); err != nil {
		t.Errorf("tunnel: %v", err)
	}
	if _, err := net.Dial("unix", socket); err == nil {
		t.Error("still listens")
	}
}

func TestListenReplacesAnOldSocket(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	old, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	old.(*net.UnixListener).SetUnlinkOnClose(false) // as after kill -9
	old.Close()
	l, err := egress.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
}

// echo says back what it is told until the caller is done.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	}()
	return l.Addr().String()
}

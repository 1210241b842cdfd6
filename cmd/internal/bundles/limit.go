package bundles

import (
	"net"
	"sync"
	"time"
)

// Connections is how many connections one client may have at a time. An import uses one, and a browser about six; several
// machines may share an address.
const Connections = 32

// Limit returns a listener that accepts at most n connections at a time from one address. Further ones get an answer that
// says so, and are closed.
func Limit(l net.Listener, n int) net.Listener {
	return &limited{Listener: l, most: n, open: map[string]int{}}
}

type limited struct {
	net.Listener
	most int

	mu   sync.Mutex
	open map[string]int // connections, by address
}

// Accept implements [net.Listener].
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		host := hostOf(conn.RemoteAddr().String())
		if l.enter(host) {
			return &connection{Conn: conn, leave: sync.OnceFunc(func() { l.leave(host) })}, nil
		}
		_ = conn.SetWriteDeadline(time.Now().Add(time.Second)) // a new connection has room for the answer
		_, _ = conn.Write([]byte("HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nRetry-After: 5\r\nConnection: close\r\n\r\n" +
			"too many connections from your address\n"))
		_ = conn.Close()
	}
}

// enter counts a connection of a host, unless it has the most already.
func (l *limited) enter(host string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[host] >= l.most {
		return false
	}
	l.open[host]++
	return true
}

func (l *limited) leave(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[host]--; l.open[host] == 0 {
		delete(l.open, host)
	}
}

// connection counts until it is closed.
type connection struct {
	net.Conn
	leave func()
}

// Close implements [net.Conn].
func (c *connection) Close() error {
	c.leave()
	return c.Conn.Close()
}

// hostOf returns the host of an address without its port.
func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}

package bundles

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// pipes is a listener of connections in memory.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return nil }

// from is a connection from an address.
type from struct {
	net.Conn
	address string
}

func (f from) RemoteAddr() net.Addr { return f }
func (f from) Network() string      { return "tcp" }
func (f from) String() string       { return f.address }

// TestLimit checks that a client gets at most a number of connections at a time, and that others are not affected.
func TestLimit(t *testing.T) {
	t.Parallel()
	in := make(pipes)
	accepted := make(chan net.Conn)
	limit := Limit(in, 2)
	go func() {
		defer close(accepted)
		for {
			c, err := limit.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func(address string) net.Conn {
		client, server := net.Pipe()
		in <- from{server, address}
		return client
	}
	dial("10.0.0.1:1")
	first := <-accepted
	dial("10.0.0.1:2")
	<-accepted
	refused := dial("10.0.0.1:3")
	answer, err := http.ReadResponse(bufio.NewReader(refused), nil)
	check(t, err)
	text, err := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(string(text), "too many connections") || err != nil {
		t.Errorf("the third connection: %s, %q, %v", answer.Status, text, err)
	}
	dial("10.0.0.2:1")
	if c := <-accepted; c.RemoteAddr().String() != "10.0.0.2:1" {
		t.Errorf("accepted %s", c.RemoteAddr())
	}
	check(t, first.Close())
	_ = first.Close() // counts once
	dial("10.0.0.1:4")
	if c := <-accepted; c.RemoteAddr().String() != "10.0.0.1:4" {
		t.Errorf("accepted %s", c.RemoteAddr())
	}
	if answer, err := http.ReadResponse(bufio.NewReader(dial("10.0.0.1:5")), nil); err != nil || answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a connection that was closed twice counts twice: %v", err)
	}
	close(in)
	<-accepted
}

// TestStalledClient checks that a client that stops reading is disconnected.
func TestStalledClient(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	b := m.small(t, "class", strings.Repeat("0123456789abcdef", 2<<20)) // more than the buffers of a connection
	s, err := m.NewServer(t.Context(), "class", 0, nil)
	check(t, err)
	if s.stall != Stall {
		t.Errorf("a client may stall for %s", s.stall)
	}
	s.stall = time.Millisecond
	ended := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		s.ServeHTTP(w, r)
	}))
	defer server.Close()
	layer, err := layerOf(t.Context(), m.Store, b.Items[0])
	check(t, err)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	check(t, err)
	defer func() { _ = conn.Close() }()
	_, err = fmt.Fprintf(conn, "GET /%s/%s HTTP/1.1\r\nHost: a\r\n\r\n", blobsDir, layer.Digest.Encoded())
	check(t, err)
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("the client still has its connection")
	}
}

// deadlines is a response that notes the deadlines of its writes.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.set = append(d.set, at)
	return nil
}

// TestSlowClient checks that a client that reads slowly gets more time with each chunk.
func TestSlowClient(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	b := m.small(t, "class", strings.Repeat("a", 5*chunk))
	s, err := m.NewServer(t.Context(), "class", 0, nil)
	check(t, err)
	layer, err := layerOf(t.Context(), m.Store, b.Items[0])
	check(t, err)
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	began := time.Now()
	s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/"+blobsDir+"/"+layer.Digest.Encoded(), nil))
	if len(w.set) < 5 || w.Body.Len() != 5*chunk {
		t.Fatalf("%d deadlines for %d bytes", len(w.set), w.Body.Len())
	}
	for _, at := range w.set {
		if at.Before(began.Add(Stall)) {
			t.Errorf("a deadline after %s", at.Sub(began))
		}
	}
}

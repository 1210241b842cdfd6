package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadK3d(t *testing.T) {
	t.Parallel()
	got, err := readK3d(write(t, "values.yaml",
		"ports:\n  6443.tcp: [server-0, server-1]\n  53.udp: [server-0]\nsettings: {workerConnections: 1024}\n"))
	if diff := cmp.Diff(routes{6443: {"server-0:6443", "server-1:6443"}}, got); err != nil || diff != "" {
		t.Errorf("readK3d: %v (-want +got):\n%s", err, diff)
	}
}

func TestReadEnvoy(t *testing.T) {
	t.Parallel()
	listeners := write(t, "lds.yaml", "resources:\n- address: {socket_address: {address: 0.0.0.0, port_value: 6443}}\n")
	clusters := write(t, "cds.yaml", `resources:
- load_assignment:
    endpoints:
    - lb_endpoints:
      - endpoint: {address: {socket_address: {address: lab-control-plane, port_value: 6443}}}
      - endpoint: {address: {socket_address: {address: lab-control-plane2, port_value: 6443}}}
`)
	got, err := readEnvoy(listeners, clusters)
	if diff := cmp.Diff(routes{6443: {"lab-control-plane:6443", "lab-control-plane2:6443"}}, got); err != nil || diff != "" {
		t.Errorf("readEnvoy: %v (-want +got):\n%s", err, diff)
	}
}

// TestForward sends data through a proxy whose first server is down, and half-closes the connection as HTTP clients
// do.
func TestForward(t *testing.T) {
	t.Parallel()
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		conn, err := server.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		said, _ := io.ReadAll(conn)
		fmt.Fprintf(conn, "received %s", said)
	}()
	down, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	down.Close()

	proxy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	go accept(t.Context(), proxy, []string{server.Addr().String(), down.Addr().String()}) // the second is tried first

	client, err := net.Dial("tcp", proxy.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	fmt.Fprint(client, "hello")
	if err := client.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(client); string(got) != "received hello" {
		t.Errorf("got %q, %v", got, err)
	}
}

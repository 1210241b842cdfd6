package providers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// checkPorts returns an error that names the first of ports that another program has,
// and the program where that can be known. The tools would find out, too, but only when
// half of the cluster is made, and none of them says by whom.
func checkPorts(ctx context.Context, ports []Port) error {
	for _, p := range ports {
		if !isTaken(ctx, p) {
			continue
		}
		holder := ""
		if name, pid := HolderOf("/", p); pid > 0 {
			holder = fmt.Sprintf(" by %s (process %d)", name, pid)
		}
		near := p // 8080 for 80, as people are used to
		if near.Host++; p.Host < 1024 {
			near.Host = p.Host + 8000
		}
		free, err := FreePort(ctx, near)
		taken := fmt.Errorf("port %d of this machine is taken%s", p.Host, holder)
		if err != nil {
			return taken
		}
		return WithHint(taken, "end what has it, or choose another: --port %d:%d", free, p.Container)
	}
	return nil
}

// FreePort returns a port of this machine at which nobody listens with p's protocol on p's
// address: p.Host, or where that is taken, or 0, whichever the system gives. Another
// program may be faster to take it.
func FreePort(ctx context.Context, p Port) (int, error) {
	got, err := listen(ctx, p)
	// Whoever publishes the port may be allowed to, even if lab is not.
	if errors.Is(err, syscall.EACCES) && !answers(ctx, p) {
		return p.Host, nil
	}
	if err != nil && p.Host != 0 {
		p.Host = 0
		got, err = listen(ctx, p)
	}
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return got, nil
}

// answers tells whether somebody takes connections at a port.
func answers(ctx context.Context, p Port) bool {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", p.at())
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// isTaken tells whether some program listens at a port. Where lab may not listen
// itself, as at ports below 1024, nobody can say, and the tool will.
func isTaken(ctx context.Context, p Port) bool {
	_, err := listen(ctx, p)
	return errors.Is(err, syscall.EADDRINUSE)
}

// listen returns the port at which lab can listen for a moment, or why it cannot.
func listen(ctx context.Context, p Port) (int, error) {
	var config net.ListenConfig
	switch p.Protocol {
	case "", "tcp":
		l, err := config.Listen(ctx, "tcp", p.at())
		if err != nil {
			return 0, err
		}
		return l.Addr().(*net.TCPAddr).Port, l.Close()
	case "udp":
		l, err := config.ListenPacket(ctx, "udp", p.at())
		if err != nil {
			return 0, err
		}
		return l.LocalAddr().(*net.UDPAddr).Port, l.Close()
	}
	return p.Host, nil // the standard library knows no sctp
}

// at is where on the host p is published.
func (p Port) at() string {
	host := "127.0.0.1"
	if a, err := netip.ParseAddr(p.Address); err == nil {
		host = a.Unmap().String()
	}
	return net.JoinHostPort(host, strconv.Itoa(p.Host))
}

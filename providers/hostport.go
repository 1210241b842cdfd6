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
		if name, pid := holderOf(p); pid > 0 {
			holder = fmt.Sprintf(" by %s (process %d)", name, pid)
		}
		return WithHint(fmt.Errorf("port %d of this machine is taken%s", p.Host, holder),
			"end what has it, or choose another: --port %d:%d", freePort(ctx, p), p.Container)
	}
	return nil
}

// isTaken tells whether some program listens at a port. Where lab may not listen
// itself, as at ports below 1024, nobody can say, and the tool will.
func isTaken(ctx context.Context, p Port) bool {
	err := listen(ctx, p)
	return errors.Is(err, syscall.EADDRINUSE)
}

// listen returns nil if lab can listen at a port.
func listen(ctx context.Context, p Port) error {
	at := net.JoinHostPort(p.host(), strconv.Itoa(p.Host))
	var config net.ListenConfig
	switch p.Protocol {
	case "", "tcp":
		l, err := config.Listen(ctx, "tcp", at)
		if err == nil {
			err = l.Close()
		}
		return err
	case "udp":
		l, err := config.ListenPacket(ctx, "udp", at)
		if err == nil {
			err = l.Close()
		}
		return err
	}
	return nil // the standard library knows no sctp
}

// freePort returns a port near p's that is free: 8080 for 80, as people are used to.
func freePort(ctx context.Context, p Port) int {
	near := p
	near.Host++
	if p.Host < 1024 {
		near.Host = p.Host + 8000
	}
	for near.Host < 65535 && listen(ctx, near) != nil {
		near.Host++
	}
	return near.Host
}

// host is the address of the host that p is published on.
func (p Port) host() string {
	if a, err := netip.ParseAddr(p.Address); err == nil {
		return a.Unmap().String()
	}
	return "127.0.0.1"
}

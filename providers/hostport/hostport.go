// Package hostport finds free ports of this machine, and the programs that use the others.
package hostport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// Port is a port of this machine.
type Port struct {
	Number   int
	Protocol string // "tcp" (also when empty), "udp" or "sctp"
	Address  string // an IP address of this machine; 127.0.0.1 when empty
}

// Free returns the number of a free port with p's protocol and address: p.Number, or another one
// that the system chooses if p.Number is in use or 0. Another program may take the port before
// the caller does.
func Free(ctx context.Context, p Port) (int, error) {
	got, err := listen(ctx, p)
	// The program that publishes the port may have the permission that lab lacks.
	if errors.Is(err, syscall.EACCES) && !answers(ctx, p) {
		return p.Number, nil
	}
	if err != nil && p.Number != 0 {
		p.Number = 0
		got, err = listen(ctx, p)
	}
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return got, nil
}

// answers reports whether a program accepts connections on p.
func answers(ctx context.Context, p Port) bool {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", p.at())
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// Taken reports whether a program listens on p. It returns false for ports that lab is not
// permitted to open, such as those below 1024: the tool that publishes them finds out.
func Taken(ctx context.Context, p Port) bool {
	_, err := listen(ctx, p)
	return errors.Is(err, syscall.EADDRINUSE)
}

// listen opens p for a moment, and returns its number.
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
	return p.Number, nil // the standard library does not support SCTP
}

// at returns the address to listen on.
func (p Port) at() string {
	host := "127.0.0.1"
	if a, err := netip.ParseAddr(p.Address); err == nil {
		host = a.Unmap().String()
	}
	return net.JoinHostPort(host, strconv.Itoa(p.Number))
}

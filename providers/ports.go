package providers

import (
	"context"
	"fmt"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/hostport"
)

// checkPorts returns an error for the first of ports that is in use. The error names the
// program that uses it, if that can be determined. The tools fail on such a port only in the
// middle of a creation, and do not name the program.
func checkPorts(ctx context.Context, ports []Port) error {
	for _, p := range ports {
		if !hostport.Taken(ctx, p.OnHost()) {
			continue
		}
		holder := ""
		if name, pid := hostport.Holder("/", p.OnHost()); pid > 0 {
			holder = fmt.Sprintf(" by %s (process %d)", name, pid)
		}
		err := fmt.Errorf("host port %d is in use%s", p.Host, holder)
		near := p.OnHost() // 8080 in place of 80, as is common
		if near.Number++; p.Host < 1024 {
			near.Number = p.Host + 8000
		}
		free, notFound := hostport.Free(ctx, near)
		if notFound != nil {
			return err
		}
		return fault.WithHint(err, "stop that program, or use another port: --port %d:%d", free, p.Container)
	}
	return nil
}

// OnHost returns the port of this machine on which p is published.
func (p Port) OnHost() hostport.Port {
	return hostport.Port{Number: p.Host, Protocol: p.Protocol, Address: p.Address}
}

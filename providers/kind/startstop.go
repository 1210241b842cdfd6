package kind

import (
	"bytes"
	"context"
	"net/netip"
	"slices"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// addressFile is where a node keeps its former address, to fix its configuration when it starts
// with another one.
const addressFile = "/kind/old-ipv4"

// Start starts the stopped nodes and waits until the API server answers. On error the cluster
// stays as it is then.
func (p *Provider) Start(ctx context.Context, ref providers.Ref, report event.Reporter) error {
	tool := containers()
	tool.Cache = p.opts.Cache
	return tool.Start(ctx, ref, report, startNodes)
}

// startNodes starts one node after the other, in the order of their former addresses. Docker
// assigns the lowest free address, so most nodes get theirs again. A node with another address
// fixes its own configuration, but several control planes refer to one another by address.
func startNodes(ctx context.Context, asleep []docker.Container, step *event.Step) error {
	had := map[string]netip.Addr{}
	for _, n := range asleep {
		text, _ := docker.ReadFile(ctx, n.ID, addressFile) // not there in the balancer
		had[n.ID], _ = netip.ParseAddr(string(bytes.TrimSpace(text)))
	}
	for _, n := range inOrder(asleep, had) {
		step.Progress(n.Name)
		if err := docker.Do(ctx, []string{"start"}, n.ID); err != nil {
			return err
		}
	}
	return nil
}

// inOrder sorts nodes by their former addresses. Nodes with unknown addresses go into the first
// gap, which most likely was theirs.
func inOrder(nodes []docker.Container, had map[string]netip.Addr) []docker.Container {
	var known, unknown []docker.Container
	for _, n := range nodes {
		if had[n.ID].IsValid() {
			known = append(known, n)
		} else {
			unknown = append(unknown, n)
		}
	}
	slices.SortFunc(known, func(a, b docker.Container) int { return had[a.ID].Compare(had[b.ID]) })
	gap := len(known)
	for i, n := range known {
		before := had[n.ID].Prev()
		if i == 0 && !isGateway(before) || i > 0 && before != had[known[i-1].ID] {
			gap = i
			break
		}
	}
	return slices.Concat(known[:gap], unknown, known[gap:])
}

// isGateway reports whether an address is the first of its network, which Docker uses for the
// gateway.
func isGateway(a netip.Addr) bool {
	bytes := a.AsSlice()
	return len(bytes) > 0 && bytes[len(bytes)-1] == 1
}

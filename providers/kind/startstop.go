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

// addressFile is where a node keeps the address it had, to mend its configuration by
// when it starts with another.
const addressFile = "/kind/old-ipv4"

// Stop stops the nodes, all at once, and keeps them stopped when the machine starts.
func (*Provider) Stop(ctx context.Context, ref providers.Ref) error {
	return containers().Stop(ctx, ref)
}

// Start starts the nodes that do not run, and waits until the API server answers. On
// error it leaves the cluster as far as it came.
func (*Provider) Start(ctx context.Context, ref providers.Ref, report event.Reporter) error {
	return containers().Start(ctx, ref, report, startNodes)
}

// startNodes starts one node after the other in the order of the addresses that they
// had. Docker gives the lowest that is free, so most get theirs again. A node that gets
// another mends itself, but several control planes know one another by address.
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

// inOrder sorts nodes by the addresses that they had. Those whose address nobody knows
// come where the first gap is, which most likely was theirs.
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

// isGateway tells whether an address is the one that Docker gives to a network's own
// gateway, the first.
func isGateway(a netip.Addr) bool {
	bytes := a.AsSlice()
	return len(bytes) > 0 && bytes[len(bytes)-1] == 1
}

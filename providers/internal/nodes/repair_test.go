//go:build !windows

package nodes

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// networked returns a tool whose clusters have their own network, and a load balancer that it
// can recreate.
func networked(t *testing.T) Tool {
	t.Helper()
	tool := tool()
	tool.Network = func(c docker.Container) (string, bool) { return c.HostConfig.NetworkMode, true }
	tool.Remake = func(ctx context.Context, network string, _ []docker.Container) error {
		return docker.CreateNetwork(ctx, network)
	}
	tool.CanRebalance = func(c docker.Container) bool { return c.Config.Labels["balanced"] != "" }
	tool.Rebalance = func(ctx context.Context, _ []docker.Container) error {
		return docker.Do(ctx, []string{"create"}, "balancer")
	}
	return tool
}

// in puts a container into a network.
func in(c docker.Container, network, id string) docker.Container {
	c.HostConfig.NetworkMode = network
	c.NetworkSettings.Networks = map[string]docker.Endpoint{network: {NetworkID: id}}
	return c
}

// TestParts checks which parts a cluster has, and which of them a start recreates.
func TestParts(t *testing.T) {
	t.Parallel()
	first, worker, balancer := in(node("control-plane", "exited"), "net", "1"), in(node("worker", "exited"), "net", "1"), in(node("balancer", "exited"), "net", "1")
	remembers := in(node("control-plane", "exited"), "net", "1")
	remembers.Config.Labels["balanced"] = "yes"
	detached := worker
	detached.NetworkSettings.Networks = nil
	live, other := docker.Object{ID: "1", Name: "net"}, docker.Object{ID: "2", Name: "net"}
	nodes := []string{"node lab-control-plane false", "node lab-worker false"}
	for name, test := range map[string]struct {
		nodes    []docker.Container
		networks []docker.Object
		want     []string
	}{
		"whole":                 {[]docker.Container{first, worker}, []docker.Object{{ID: "9", Name: "bridge"}, live}, append(nodes, "network net true")},
		"no network":            {[]docker.Container{first, worker}, []docker.Object{{ID: "9", Name: "bridge"}}, nodes},
		"another of its name":   {[]docker.Container{first, worker}, []docker.Object{other}, nodes},
		"one node outside it":   {[]docker.Container{first, detached}, []docker.Object{live}, append(nodes, "network net true")},
		"a balancer":            {[]docker.Container{first, worker, balancer}, []docker.Object{live}, append(nodes, "load balancer lab-balancer false", "network net true")},
		"a remembered balancer": {[]docker.Container{remembers, balancer}, []docker.Object{live}, []string{nodes[0], "load balancer lab-balancer true", "network net true"}},
	} {
		_, parts := networked(t).partsOf(test.nodes, test.networks)
		var got []string
		for _, p := range parts {
			repair := " false"
			if p.Repair {
				repair = " true"
			}
			got = append(got, p.String()+repair)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestStartRepairs checks that a start recreates the network and the load balancer, and
// connects the nodes, with their fixed addresses if they have any.
func TestStartRepairs(t *testing.T) {
	first, worker := in(node("control-plane", "exited"), "net", "1"), in(node("worker", "running"), "net", "1")
	first.Config.Labels["balanced"] = "yes"
	endpoint := first.NetworkSettings.Networks["net"]
	endpoint.IPAMConfig.IPv4Address = "10.0.0.2"
	first.NetworkSettings.Networks["net"] = endpoint
	const ls = "network ls"
	for name, test := range map[string]struct {
		networks []dockertest.Answer // as often as they are asked for
		want     []string
	}{
		"the network is gone": {
			[]dockertest.Answer{{Args: ls, Once: true}, {Args: ls, Once: true}, {Args: ls, Stdout: "2 net \n"}},
			[]string{"stop id-of-worker", "network create --driver=bridge net",
				"network disconnect --force net id-of-control-plane", "network connect --ip=10.0.0.2 2 id-of-control-plane",
				"network disconnect --force net id-of-worker", "network connect 2 id-of-worker", "create balancer"},
		},
		"another has its name": {
			[]dockertest.Answer{{Args: ls, Stdout: "2 net \n"}},
			[]string{"stop id-of-worker", "network disconnect --force net id-of-control-plane", "network connect --ip=10.0.0.2 2 id-of-control-plane",
				"network disconnect --force net id-of-worker", "network connect 2 id-of-worker", "create balancer"},
		},
		"only the load balancer is gone": {[]dockertest.Answer{{Args: ls, Stdout: "1 net \n"}}, []string{"create balancer"}},
	} {
		d := dockertest.Script(t, append(slices.Concat(test.networks, dockertest.Having(t, first, worker)), dockertest.Answer{Args: "update"},
			dockertest.Answer{Args: "stop"}, dockertest.Answer{Args: "network"}, dockertest.Answer{Args: "create"})...)
		ctx, cancel := context.WithCancel(t.Context())
		err := networked(t).Start(ctx, providers.Ref{Name: "lab"}, nil, func(context.Context, []docker.Container, *event.Step) error {
			cancel() // nothing will answer
			return nil
		})
		if err == nil {
			t.Errorf("%s: no error, though nothing answers", name)
		}
		var got []string
		for _, call := range d.Calls(t) {
			if strings.HasPrefix(call, "network") && !strings.HasPrefix(call, ls) || strings.HasPrefix(call, "stop") || strings.HasPrefix(call, "create") {
				got = append(got, call)
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestListAsksOnce checks that networks are listed once for any number of clusters, and not at
// all without one.
func TestListAsksOnce(t *testing.T) {
	other := in(node("control-plane", "exited"), "net", "1")
	other.Config.Labels = map[string]string{"cluster": "other", "role": "control-plane"}
	for want, containers := range [][]docker.Container{nil, {in(node("control-plane", "exited"), "net", "1"), other}} {
		d := dockertest.Script(t, dockertest.Having(t, containers...)...)
		if _, err := networked(t).List(t.Context()); err != nil {
			t.Error(err)
		}
		if n := strings.Count(strings.Join(d.Calls(t), "\n"), "network ls"); n != want {
			t.Errorf("%d containers: the networks are asked for %d times, want %d", len(containers), n, want)
		}
	}
}

// TestStartWithoutControlPlane checks that a start does not wait for a control plane that does
// not exist.
func TestStartWithoutControlPlane(t *testing.T) {
	dockertest.Script(t, dockertest.Having(t, node("worker", "running"))...)
	err := networked(t).Start(t.Context(), providers.Ref{Name: "lab"}, nil, nil)
	if err == nil || err.Error() != "its control plane is missing" || !strings.Contains(fault.HintOf(err), "lab up lab --recreate") {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
}

// TestRenamed checks that a container which another program renamed counts as existing, that
// the cluster is degraded, and that a start gives the container its name back.
func TestRenamed(t *testing.T) {
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	defer api.Close()
	_, port, _ := net.SplitHostPort(api.Listener.Addr().String())
	worker := node("worker", "running")
	worker.Name, worker.Config.Hostname = "/mine", "lab-worker"
	named := node("control-plane", "running")
	named.Config.Hostname = named.ID // as where nothing sets it
	d := dockertest.Script(t, append(dockertest.Having(t, published(named, "127.0.0.1", port), worker), dockertest.Answer{Args: "rename"}, dockertest.Answer{Args: "update"})...)
	all, err := tool().List(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	recorded := []providers.Part{{Kind: "node", Name: "lab-control-plane"}, {Kind: "node", Name: "lab-worker"}}
	if gone := providers.Gone(recorded, all[0].Parts); len(gone) > 0 || all[0].State != providers.StateDegraded || all[0].Reason != "container lab-worker was renamed to mine" {
		t.Errorf("%s (%s), gone: %+v", all[0].State, all[0].Reason, gone)
	}
	if err := tool().Start(t.Context(), providers.Ref{Name: "lab"}, nil, nil); err != nil || !slices.Contains(d.Calls(t), "rename "+worker.ID+" lab-worker") {
		t.Errorf("%v; calls: %q", err, d.Calls(t))
	}
}

// TestRegistryIsPart checks that the removal of a cluster's registry is noticed.
func TestRegistryIsPart(t *testing.T) {
	t.Parallel()
	with := tool()
	with.Registry = func(c docker.Container) bool { return c.Name == "lab-registry" }
	with.Helper = with.Registry
	_, parts := with.partsOf([]docker.Container{node("control-plane", "running"), node("registry", "running")}, nil)
	if !slices.Contains(parts, providers.Part{Kind: "registry", Name: "lab-registry"}) {
		t.Errorf("the parts are %+v", parts)
	}
}

//go:build !windows

package nodes

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

func TestStateOf(t *testing.T) {
	t.Parallel()
	const cp, worker = "control-plane", "worker"
	for name, test := range map[string]struct {
		nodes []docker.Container
		state providers.State
		why   string
	}{
		"all run":              {[]docker.Container{node(cp, "running"), node(worker, "running")}, providers.StateRunning, ""},
		"stopped by lab":       {[]docker.Container{stoppedByLab(node(cp, "exited")), stoppedByLab(node(worker, "exited"))}, providers.StateStopped, ""},
		"ended in order":       {[]docker.Container{node(cp, "exited 0")}, providers.StateStopped, ""},
		"killed":               {[]docker.Container{node(cp, "exited"), node(worker, "exited 0")}, providers.StateDegraded, "node lab-control-plane exited (exit code 137)"},
		"a worker died":        {[]docker.Container{node(cp, "running"), node(worker, "exited")}, providers.StateDegraded, "node lab-worker exited"},
		"a worker was stopped": {[]docker.Container{node(cp, "running"), node(worker, "exited 0")}, providers.StateDegraded, "some of its nodes are stopped"},
		"paused":               {[]docker.Container{node(cp, "paused")}, providers.StateDegraded, "node lab-control-plane is paused"},
		"never started":        {[]docker.Container{node(cp, "created")}, providers.StateDegraded, "was never started"},
		"about to start":       {[]docker.Container{young(node(cp, "created")), young(node(worker, "created"))}, providers.StateCreating, ""},
		"no control plane":     {[]docker.Container{node(worker, "running")}, providers.StateDegraded, "its control plane is missing"},
		"none yet":             {[]docker.Container{young(node(worker, "running"))}, providers.StateCreating, ""},
	} {
		if state, why := tool().State(test.nodes); state != test.state || !strings.HasPrefix(why, test.why) && !strings.Contains(why, test.why) || (why == "") != (test.why == "") {
			t.Errorf("%s: %s (%q), want %s (%q)", name, state, why, test.state, test.why)
		}
	}
}

func TestList(t *testing.T) {
	api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"gitVersion":"v1.37.2"}`) }))
	defer api.Close()
	_, port, _ := net.SplitHostPort(api.Listener.Addr().String())
	other := published(node("control-plane", "running"), "0.0.0.0", port)
	other.Config.Labels = map[string]string{"cluster": "another", "role": "control-plane"}
	dockertest.Script(t, dockertest.Having(t, published(node("control-plane", "running"), "127.0.0.1", "1"), node("worker", "running"), published(node("balancer", "running"), "127.0.0.1", "1"), other)...)
	got, err := tool().List(t.Context())
	if err != nil || len(got) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	if c := got[0]; c.Name != "another" || c.Provider != "tool" || c.State != providers.StateRunning || c.KubernetesVersion != "v1.37.2" || c.ID != "id-of-control-plane" {
		t.Errorf("%+v", c)
	}
	want := []providers.Part{{Kind: "node", Name: "lab-control-plane"}, {Kind: "node", Name: "lab-worker"}, {Kind: "load balancer", Name: "lab-balancer"}}
	if diff := cmp.Diff(want, got[1].Parts); diff != "" || !slices.Equal(got[1].Nodes, []string{"lab-control-plane", "lab-worker"}) {
		t.Errorf("nodes %q, parts (-want +got):\n%s", got[1].Nodes, diff)
	}
	if c := got[1]; c.Name != "lab" || c.State != providers.StateDegraded || !strings.Contains(c.Reason, "its API server does not answer") {
		t.Errorf("%+v", c)
	}
}

// TestHalfMade checks that running containers alone are not a cluster.
func TestHalfMade(t *testing.T) {
	dockertest.Script(t, dockertest.Having(t, young(published(node("control-plane", "running"), "127.0.0.1", "1")))...)
	if got, err := tool().List(t.Context()); err != nil || len(got) != 1 || got[0].State != providers.StateCreating {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestListWithoutDocker(t *testing.T) {
	dockertest.None(t)
	got, err := tool().List(t.Context())
	if !errors.Is(err, fault.ErrUnavailable) || len(got) > 0 || fault.HintOf(err) == "" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAskVersion(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{http.StatusOK: "", http.StatusUnauthorized: "", http.StatusForbidden: "403", http.StatusInternalServerError: "500"} {
		api := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); fmt.Fprint(w, "{}") }))
		_, port, _ := net.SplitHostPort(api.Listener.Addr().String())
		_, err := tool().AskVersion(t.Context(), []docker.Container{published(node("control-plane", "running"), "", port)})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%d: %v", code, err)
		}
		api.Close()
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	desktop := node("control-plane", "running")
	desktop.Config.Labels["desktop.docker.io/ports/6443/tcp"] = "10.0.1.7:6443"
	moved := published(node("control-plane", "running"), "127.0.0.1", "0")
	moved.NetworkSettings.Ports = map[string][]docker.Binding{apiPort: {{HostIP: "::", HostPort: "5000"}}}
	for want, nodes := range map[string][]docker.Container{
		"127.0.0.1:4000": {published(node("control-plane", "exited"), "127.0.0.1", "4000")},
		"127.0.0.1:4001": {published(node("control-plane", "running"), "0.0.0.0", "4001")},
		"127.0.0.1:4002": {published(node("control-plane", "running"), "127.0.0.1", "1"), published(node("balancer", "running"), "", "4002")},
		"10.0.1.7:6443":  {desktop},
		"[::1]:5000":     {moved},
	} {
		if got, err := tool().Address(nodes); got != want || err != nil {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	certified := tool()
	certified.AsPublished = true
	if got, err := certified.Address([]docker.Container{published(node("control-plane", "running"), "0.0.0.0", "4001")}); got != "0.0.0.0:4001" {
		t.Errorf("as its certificate has it: %q, %v", got, err)
	}
	for _, nodes := range [][]docker.Container{{node("worker", "running")}, {node("control-plane", "running")}} {
		if got, err := tool().Address(nodes); err == nil {
			t.Errorf("%q, want an error", got)
		}
	}
}

// TestClusterByOther is about a tool whose label does not name the cluster.
func TestClusterByOther(t *testing.T) {
	other := tool()
	other.Cluster = func(c docker.Container) string { return strings.TrimPrefix(c.Name, "lab-") }
	dockertest.Script(t, dockertest.Having(t, node("control-plane", "exited 0"), node("worker", "exited 0"))...)
	got, err := other.List(t.Context())
	if err != nil || len(got) != 2 || got[0].Name != "control-plane" || got[1].Name != "worker" {
		t.Errorf("%+v, %v", got, err)
	}
	if found, err := other.Find(t.Context(), "worker"); err != nil || len(found) != 1 || found[0].Name != "lab-worker" {
		t.Errorf("%+v, %v", found, err)
	}
	if _, err := other.Find(t.Context(), "lab"); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("error is %v", err)
	}
}

// TestWithoutRestart checks that the restart policy is ignored for a tool that sets none.
func TestWithoutRestart(t *testing.T) {
	manual := tool()
	manual.Restart = ""
	if state, _ := manual.State([]docker.Container{stoppedByLab(node("control-plane", "exited"))}); state != providers.StateDegraded {
		t.Errorf("a node that was killed: %s", state)
	}
	docker := dockertest.Script(t, append(dockertest.Having(t, stoppedByLab(node("control-plane", "running"))), dockertest.Answer{Args: "stop"})...)
	if err := manual.Stop(t.Context(), providers.Ref{Name: "lab"}); err != nil || strings.Contains(strings.Join(docker.Calls(t), "\n"), "update") {
		t.Errorf("%v, %q", err, docker.Calls(t))
	}
}

//go:build !windows

package minikube

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// api starts an API server for a list, and returns its address.
func api(t *testing.T) (host string, port int) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"gitVersion":"v1.37.2"}`) }))
	t.Cleanup(server.Close)
	host, text, _ := net.SplitHostPort(server.Listener.Addr().String())
	port, _ = strconv.Atoi(text)
	return host, port
}

func published(c docker.Container, port int) docker.Container {
	c.NetworkSettings.Ports = map[string][]docker.Binding{"8443/tcp": {{HostIP: "127.0.0.1", HostPort: strconv.Itoa(port)}}}
	return c
}

func TestList(t *testing.T) {
	host, port := api(t)
	p, _ := scripted(t, answer{Args: "status --output=json --profile=asleep", Stdout: `{"Host":"Stopped"}`, Code: 7},
		answer{Args: "status --output=json --profile=hidden", Stdout: `[{"Host":"Running","APIServer":"Running"},{"Host":"Stopped"}]`},
		answer{Args: "status --output=json --profile=broken", Stdout: `{"Host":"Running","APIServer":"Stopped"}`, Code: 2},
		answer{Args: "status --output=json --profile=mad", Stdout: "garbage"})
	for _, name := range []string{"run", "stop", "dead", "gone", "vm", "asleep", "hidden", "broken", "mad"} {
		keep(t, p, name, inDocker())
	}
	for _, name := range []string{"vm", "asleep", "hidden", "broken", "mad"} {
		config := inDocker()
		config.Driver, config.Nodes[0].IP, config.Nodes[0].Port = "kvm2", "127.0.0.1", 1
		if name == "vm" {
			config.Nodes[0].IP, config.Nodes[0].Port = host, port
		}
		keep(t, p, name, config)
	}
	write(t, filepath.Join(p.home.profileDir("begun"), "events.json"), "")
	keep(t, p, "unread", profile{})
	write(t, filepath.Join(p.home.profileDir("unread"), "config.json"), "{")
	dockertest.Script(t, dockertest.Having(t, published(node("run", "running", 0), port), node("run-m02", "running", 0),
		node("stop", "exited", 130), node("dead", "exited", 137), published(node("other", "running", 0), port))...)
	all, err := p.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range all {
		got[c.Name] = string(c.State)
		if c.Provider != Name || c.ID == "" && c.Name != "begun" || c.State == providers.StateDegraded && c.Reason == "" {
			t.Errorf("%+v", c)
		}
	}
	want := map[string]string{"run": "running", "stop": "stopped", "dead": "degraded", "gone": "degraded", "other": "running", "vm": "running",
		"asleep": "stopped", "hidden": "running", "broken": "degraded", "mad": "unknown", "begun": "creating", "unread": "unknown"}
	if diff := cmp.Diff(want, got); diff != "" || len(all) != len(want) {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestMark checks that the mark is read from the profile's configuration, before which only
// files exist.
func TestMark(t *testing.T) {
	p, _ := scripted(t)
	marked := inDocker()
	marked.KubernetesConfig.APIServerNames = []string{"lab.corp", "a-mark.lab.invalid"}
	keep(t, p, "ours", marked)
	keep(t, p, "theirs", inDocker())
	keep(t, p, "lost", marked) // whose containers are gone
	write(t, filepath.Join(p.home.profileDir("begun"), "events.json"), "")
	write(t, p.runner.lockFile("about"), "")
	dockertest.Script(t, dockertest.Having(t, node("ours", "exited", 130), node("theirs", "exited", 130), node("elsewhere", "exited", 130))...)
	all, err := p.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range all {
		got[c.Name] = fmt.Sprintf("%q %t", c.Mark, c.Bare)
	}
	want := map[string]string{"ours": `"a-mark" false`, "theirs": `"" false`, "lost": `"a-mark" false`, "begun": `"" true`,
		"about": `"" true`, "elsewhere": `"" false`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestIdentity checks that the ID is that of the profile, and stays if a container is
// recreated.
func TestIdentity(t *testing.T) {
	p, _ := scripted(t)
	keep(t, p, "lab", inDocker())
	id := func(c docker.Container) string {
		t.Helper()
		dockertest.Script(t, dockertest.Having(t, c)...)
		found, err := p.find(t.Context(), "lab")
		if err != nil {
			t.Fatal(err)
		}
		return found.ID
	}
	first, moved := node("lab", "exited", 0), node("lab", "exited", 0)
	moved.ID = "another"
	before := id(first)
	if before == "" || before != id(moved) {
		t.Error("a new container changes the identity")
	}
	write(t, filepath.Join(p.home.profileDir("lab"), "client.crt"), "recreated")
	if before == id(first) {
		t.Error("a new profile does not change the identity")
	}
	if err := os.RemoveAll(p.home.profileDir("lab")); err != nil {
		t.Fatal(err)
	}
	if got := id(first); got != first.ID {
		t.Errorf("without a profile it is %q", got)
	}
}

// TestListWithoutDocker checks that clusters which are not containers are listed without an
// engine.
func TestListWithoutDocker(t *testing.T) {
	p, _ := scripted(t)
	dockertest.Script(t, answer{Args: "ps", Stderr: "Cannot connect to the Docker daemon", Code: 1})
	if all, err := p.List(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("%+v, %v", all, err)
	}
	keep(t, p, "lab", inDocker())
	if all, err := p.List(t.Context()); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("%+v, %v; what became of a cluster in containers nobody can say", all, err)
	}
}

func TestClusterOf(t *testing.T) {
	t.Parallel()
	p := New(Options{Home: t.TempDir()})
	write(t, filepath.Join(p.home.profileDir("lab-m05"), "config.json"), "{}")
	alone := node("a-m02", "", 0)
	alone.NetworkSettings.Networks = map[string]docker.Endpoint{"a-m02": {}}
	if got := p.engine.clusterOf(alone); got != "a-m02" {
		t.Errorf("one in a separate network is of %s", got)
	}
	for of, want := range map[string]string{"lab": "lab", "lab-m02": "lab", "lab-m11": "lab", "lab-m05": "lab-m05", "lab-m2": "lab-m2", "a-m02-m03": "a-m02"} {
		if got := p.engine.clusterOf(node(of, "", 0)); got != want {
			t.Errorf("%s is of %s, want %s", of, got, want)
		}
	}
}

func TestHome(t *testing.T) {
	for variable, want := range map[string]string{"": "/home/x/.minikube", "/a": "/a/.minikube", "/a/.minikube": "/a/.minikube"} {
		t.Setenv("HOME", "/home/x")
		t.Setenv("MINIKUBE_HOME", variable)
		if got := string(homeOf("")); got != want {
			t.Errorf("MINIKUBE_HOME=%q: %s, want %s", variable, got, want)
		}
	}
}

func TestKubeconfig(t *testing.T) {
	for name, test := range map[string]struct {
		node   docker.Container
		server string
	}{
		"running": {published(node("lab", "running", 0), 4000), "https://127.0.0.1:4000"},
		"stopped": {node("lab", "exited", 130), "https://192.168.49.2:8443"},
	} {
		p, _ := scripted(t)
		keep(t, p, "lab", inDocker())
		dockertest.Script(t, dockertest.Having(t, test.node)...)
		got, err := p.Kubeconfig(t.Context(), providers.Ref{Name: "lab"})
		for _, want := range []string{"server: " + test.server + "\n", "current-context: lab\n", "client-key-data: a2V5\n", "certificate-authority-data: YXV0aG9yaXR5\n"} {
			if err != nil || !strings.Contains(string(got), want) {
				t.Errorf("%s: %v, lacks %q:\n%s", name, err, want, got)
			}
		}
	}
}

func TestKubeconfigOfNone(t *testing.T) {
	p, _ := scripted(t)
	dockertest.Script(t, ready()...)
	if _, err := p.Kubeconfig(t.Context(), providers.Ref{Name: "lab"}); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("no cluster: %v", err)
	}
	write(t, filepath.Join(p.home.profileDir("lab"), "events.json"), "")
	if _, err := p.Kubeconfig(t.Context(), providers.Ref{Name: "lab"}); !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, fault.ErrNotFound) {
		t.Errorf("half-made: %v", err)
	}
	dockertest.Script(t, dockertest.Having(t, node("other", "running", 0))...)
	if _, err := p.Kubeconfig(t.Context(), providers.Ref{Name: "other"}); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("of another home: %v", err)
	}
}

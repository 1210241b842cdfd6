//go:build !windows

package minikube

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// TestRemakeNetwork checks that the network has the former addresses, and minikube's labels.
func TestRemakeNetwork(t *testing.T) {
	p, _ := scripted(t)
	second := node("lab-m02", "exited", 0)
	var endpoint docker.Endpoint
	endpoint.IPAMConfig.IPv4Address = "10.3.7.3"
	second.NetworkSettings.Networks = map[string]docker.Endpoint{"lab": endpoint}
	for subnet, want := range map[string]string{"": "--subnet=10.3.7.0/24 --gateway=10.3.7.1", "10.3.0.0/16": "--subnet=10.3.0.0/16 --gateway=10.3.0.1"} {
		keep(t, p, "lab", inDocker())
		write(t, filepath.Join(p.home.profileDir("lab"), "config.json"), `{"Driver":"docker","Subnet":"`+subnet+`"}`)
		d := dockertest.Script(t, answer{Args: "network inspect bridge", Stdout: "1500\n"}, answer{Args: "network create"})
		err := p.engine.remakeNetwork(t.Context(), "lab", []docker.Container{node("lab", "exited", 0), second})
		want = "network create --driver=bridge -o --ip-masq -o --icc --opt=com.docker.network.driver.mtu=1500 " +
			"--label=created_by.minikube.sigs.k8s.io=true --label=name.minikube.sigs.k8s.io=lab " + want + " lab"
		if err != nil || !slices.Contains(d.Calls(t), want) {
			t.Errorf("%v\n%s\nwant\n%s", err, strings.Join(d.Calls(t), "\n"), want)
		}
	}
	dockertest.Script(t, answer{Args: "network inspect"},
		answer{Args: "network create", Stderr: "Error response from daemon: Pool overlaps with other one on this address space", Code: 1})
	err := p.engine.remakeNetwork(t.Context(), "lab", []docker.Container{second})
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(fault.HintOf(err), "lab up lab --recreate") {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
}

// TestOnlyNodeGone checks that a cluster whose only node was removed is listed, and that a
// start refuses to recreate it.
func TestOnlyNodeGone(t *testing.T) {
	p, tool := scripted(t)
	keep(t, p, "lab", inDocker())
	dockertest.Script(t, answer{Args: "ps"}, answer{Args: "network ls", Stdout: "1 lab name.minikube.sigs.k8s.io=lab"})
	all, err := p.List(t.Context())
	recorded := []providers.Part{{Kind: "node", Name: "lab"}, {Kind: "network", Name: "lab", Repair: true}}
	if err != nil || len(all) != 1 || len(providers.Gone(recorded, all[0].Parts)) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	err = p.Start(t.Context(), providers.Ref{Name: "lab"}, nil)
	if err == nil || err.Error() != "its control plane is missing" || slices.ContainsFunc(tool.Calls(t), func(call string) bool { return strings.HasPrefix(call, "start") }) {
		t.Errorf("%v; minikube was called: %q", err, tool.Calls(t))
	}
}

//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func TestParse(t *testing.T) {
	t.Parallel()
	got := parse([]string{"--tls-san", "0.0.0.0", "--tls-san=lb", "--cluster-init", "--disable=traefik,servicelb", "--kube-apiserver-arg", "v=2"})
	want := flags{"tls-san": {"0.0.0.0", "lb"}, "cluster-init": {""}, "disable": {"traefik,servicelb"}, "kube-apiserver-arg": {"v=2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parse (-want +got):\n%s", diff)
	}
	if !got.disabled("servicelb") || got.disabled("coredns") {
		t.Error("--disable is not read as a list of components")
	}
}

func TestBootstrapToken(t *testing.T) {
	t.Parallel()
	token := bootstrapToken("anything at all")
	id, secret, found := strings.Cut(token, ".")
	if !found || len(id) != 6 || len(secret) != 16 {
		t.Errorf("%q is not a token of kubeadm", token)
	}
	if token == bootstrapToken("anything else") || strings.HasPrefix(certificateKey("anything at all"), id) {
		t.Error("tokens and keys can be told from one another")
	}
}

func TestInitConfigHasFlags(t *testing.T) {
	t.Parallel()
	n := &node{name: "server-0", server: true, flags: parse([]string{"--tls-san=lb", "--kube-apiserver-arg=v=2", "--node-taint=a=b:NoSchedule"})}
	data, err := yaml.Marshal(n.initConfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"- lb\n", "name: v\n", "controlPlaneEndpoint: server-0:6443", "effect: NoSchedule"} {
		if !strings.Contains(string(data), want) {
			t.Errorf("the configuration lacks %q:\n%s", want, data)
		}
	}
}

func TestJoinConfigNamesServer(t *testing.T) {
	t.Parallel()
	for server, wantControlPlane := range map[bool]bool{true: true, false: false} {
		n := &node{name: "n", server: server, url: "https://k3d-x-server-0:6443", token: "t"}
		data, err := yaml.Marshal(n.joinConfig())
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), "apiServerEndpoint: k3d-x-server-0:6443") {
			t.Errorf("joins another server:\n%s", data)
		}
		if got := strings.Contains(string(data), "controlPlane:"); got != wantControlPlane {
			t.Errorf("server %v: control plane %v", server, got)
		}
	}
}

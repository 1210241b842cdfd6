//go:build !windows

package nodes

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

const admin = `apiVersion: v1
kind: Config
clusters: [{name: kubernetes, cluster: {certificate-authority-data: Q0E=, server: "https://lab-control-plane:6443"}}]
users: [{name: kubernetes-admin, user: {client-certificate-data: Q0VSVA==, client-key-data: S0VZ}}]
contexts: [{name: a@b, context: {cluster: kubernetes, user: kubernetes-admin}}]
current-context: a@b
preferences: {}
`

const renamed = `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://127.0.0.1:4000
  name: kind-lab
contexts:
- context:
    cluster: kind-lab
    user: the-user
  name: kind-lab
current-context: kind-lab
kind: Config
users:
- name: the-user
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: S0VZ
`

func TestKubeconfig(t *testing.T) {
	answers := append(dockertest.Having(t, published(node("control-plane", "exited"), "127.0.0.1", "4000")),
		dockertest.Answer{Args: "cp --follow-link id-of-control-plane:/etc/kubernetes/admin.conf -", Stdout: dockertest.File(admin)})
	dockertest.Script(t, answers...)
	got, err := tool().Kubeconfig(t.Context(), providers.Ref{Name: "lab"}, "/etc/kubernetes/admin.conf", providers.Entries{Cluster: "kind-lab", User: "the-user", Context: "kind-lab"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(renamed, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestKubeconfigOfNone(t *testing.T) {
	missing := dockertest.Answer{Args: "cp", Stderr: "Error: Could not find the file /etc/kubernetes/admin.conf", Code: 1}
	for name, test := range map[string]struct {
		answers []dockertest.Answer
		kind    error
	}{
		"no cluster":       {[]dockertest.Answer{{Args: "ps"}}, fault.ErrNotFound},
		"half-made":        {append(dockertest.Having(t, node("control-plane", "running")), missing), fault.ErrUnavailable},
		"no control plane": {dockertest.Having(t, node("worker", "running")), fault.ErrUnavailable},
	} {
		dockertest.Script(t, test.answers...)
		if got, err := tool().Kubeconfig(t.Context(), providers.Ref{Name: "lab"}, "/etc/kubernetes/admin.conf", providers.Entries{Cluster: "kind-lab", User: "the-user", Context: "kind-lab"}); !errors.Is(err, test.kind) {
			t.Errorf("%s: %q, %v; want %v", name, got, err, test.kind)
		}
	}
}

func TestRenameRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "clusters: [", "clusters: [{}, {}]"} {
		if got, err := rename([]byte(text), providers.Entries{}, "y"); err == nil {
			t.Errorf("%q: %q", text, got)
		}
	}
}

func TestAccess(t *testing.T) {
	t.Parallel()
	got, err := Access{CA: []byte("CA"), Certificate: []byte("CERT"), Key: []byte("KEY")}.Kubeconfig(providers.Entries{Cluster: "kind-lab", User: "the-user", Context: "kind-lab"}, "127.0.0.1:4000")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(renamed, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

//go:build !windows

package docker_test

import (
	"errors"
	"testing"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// TestExplainByCommand checks that a text is a known cause only in the output of certain
// commands.
func TestExplainByCommand(t *testing.T) {
	t.Parallel()
	const kubeadm = "[control-plane] Creating static Pod manifest for \"kube-apiserver\"\n" +
		"Get \"https://10.0.0.1:6443\": dial tcp 10.0.0.1:6443: connect: connection refused\nerror: the kubelet is not healthy\n"
	const gone = "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?"
	for name, test := range map[string]struct {
		command, words string
		kind           error
		hint           bool
	}{
		"kubeadm's transcript":                 {"exec", kubeadm, nil, false},
		"a program that speaks of Docker":      {"exec", gone + "\nerror: the program failed", nil, false},
		"an engine that goes away meanwhile":   {"exec", kubeadm + gone, fault.ErrUnavailable, true},
		"a disk that is full in a node":        {"exec", "ctr: write /x: no space left on device", nil, true},
		"a registry without the image":         {"pull", "manifest for a/b:v9 not found: manifest unknown", fault.ErrNotFound, true},
		"a registry that is not reached":       {"pull", "dial tcp: lookup registry.corp: no such host", fault.ErrUnavailable, true},
		"no engine for a pull":                 {"pull", gone, fault.ErrUnavailable, true},
		"a container that speaks of manifests": {"run", "static Pod manifest for kube-apiserver: connection refused", nil, false},
		"an image for another purpose":         {"run", "OCI runtime create failed: unable to start container process: exec: \"/x\": no such file", nil, true},
		"a port that is taken":                 {"run", "Bind for 127.0.0.1:80 failed: port is already allocated", nil, true},
	} {
		err := docker.Explain(test.command, test.words, errors.New(test.words))
		for _, kind := range []error{fault.ErrNotFound, fault.ErrUnavailable} {
			if errors.Is(err, kind) != (kind == test.kind) {
				t.Errorf("%s: %v is %v", name, err, kind)
			}
		}
		if (fault.HintOf(err) != "") != test.hint {
			t.Errorf("%s: hint %q", name, fault.HintOf(err))
		}
	}
}

package kind

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	kinderrors "sigs.k8s.io/kind/pkg/errors"
	"sigs.k8s.io/kind/pkg/exec"

	"github.com/clusterlab-dev/lab/providers/fault"
)

func failed(said string, command ...string) error {
	return kinderrors.WithStack(&exec.RunError{Command: command, Output: []byte(said), Inner: errors.New("exit status 1")})
}

func TestExplain(t *testing.T) {
	t.Parallel()
	run := []string{"docker", "run", "--name", "lab-control-plane", "--detach"}
	for name, test := range map[string]struct {
		err        error
		began      bool
		want, hint string
		kind       error
	}{
		"a command": {
			failed("creating…\nno room here\n", run...), true,
			"docker run: creating…\nno room here", "", nil,
		},
		"a command with words around it": {
			kinderrors.Wrap(failed("I0000 line\nkubelet is not healthy", "docker", "exec", "--privileged"), "failed to init node with kubeadm"), true,
			"failed to init node with kubeadm: kubelet is not healthy", "", nil,
		},
		"a command without words": {failed("", run...), true, "docker run: exit status 1", "", nil},
		"a port that is taken": {
			failed("docker: Error response from daemon: driver failed programming external connectivity: Bind for 127.0.0.1:80 failed: port is already allocated.", run...), true,
			"port is already allocated", "--port HOST:CONTAINER", nil,
		},
		"a name that is taken": {
			failed(`Conflict. The container name "/lab-worker" is already in use by container "b2".`, run...), true,
			"is already in use by container", "", fault.ErrExists,
		},
		"a cluster that is there": {kinderrors.Errorf(`node(s) already exist for a cluster with the name "lab"`), false, "already exist", "", fault.ErrExists},
		"an engine that went away": {
			failed("Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?", "docker", "ps"), true,
			"Cannot connect", "start", fault.ErrUnavailable,
		},
		"a configuration that is wrong": {kinderrors.Errorf("invalid ipFamily: none"), false, "invalid ipFamily: none", "configuration", fault.ErrInvalid},
		"a node that did not start":     {kinderrors.Errorf("could not find a log line that matches"), true, "a node did not start", "lab doctor", nil},
		"something else":                {kinderrors.Errorf("out of luck"), true, "out of luck", "", nil},
		"two at once": {
			kinderrors.NewAggregate([]error{kinderrors.Errorf("the one"), failed("the other", run...)}), true,
			"the one\ndocker run: the other", "", nil,
		},
	} {
		got := explain(test.err, test.began)
		if got == nil || !strings.Contains(got.Error(), test.want) || !strings.Contains(fault.HintOf(got), test.hint) {
			t.Errorf("%s: %v (hint %q), want %q and %q", name, got, fault.HintOf(got), test.want, test.hint)
		}
		if test.kind != nil && !errors.Is(got, test.kind) {
			t.Errorf("%s: %v is not %v", name, got, test.kind)
		}
		if strings.Contains(fmt.Sprintf("%+v", got), ".go:") {
			t.Errorf("%s: a stack trace: %+v", name, got)
		}
	}
	if explain(nil, true) != nil {
		t.Error("nothing became an error")
	}
}

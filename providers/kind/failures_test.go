package kind

import (
	"strings"
	"testing"

	kinderrors "sigs.k8s.io/kind/pkg/errors"

	"github.com/clusterlab-dev/lab/providers/internal/nodes/nodestest"
)

// TestFailures checks the errors for recorded output of kind, kubeadm and nodes whose creation
// failed.
func TestFailures(t *testing.T) {
	t.Parallel()
	tool := containers()
	tool.Settings = settings
	nodestest.Failures(t, *update, tool, func(said string) error {
		what, rest, ok := strings.Cut(said, "\n")
		if !ok { // no command failed
			return explain(kinderrors.New(what), true)
		}
		command, output, _ := strings.Cut(rest, "\n")
		return explain(kinderrors.Wrap(failed(output, strings.Fields(command)...), what), true)
	})
}

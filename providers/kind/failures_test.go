package kind

import (
	"strings"
	"testing"

	kinderrors "sigs.k8s.io/kind/pkg/errors"

	"github.com/clusterlab-dev/lab/providers/internal/nodes/nodestest"
)

// TestFailures holds the errors to what kind, kubeadm and the nodes said when real creations
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

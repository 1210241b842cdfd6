package k3d

import (
	"errors"
	"testing"

	"github.com/clusterlab-dev/lab/providers/internal/nodes/nodestest"
)

// TestFailures checks the errors for recorded output of k3d and of nodes whose creation failed.
func TestFailures(t *testing.T) {
	t.Parallel()
	tool := containers()
	tool.Settings = settings
	nodestest.Failures(t, *update, tool, func(said string) error { return explain(errors.New(said)) })
}

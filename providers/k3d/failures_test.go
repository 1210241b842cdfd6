package k3d

import (
	"errors"
	"testing"

	"github.com/clusterlab-dev/lab/providers/internal/nodes/nodestest"
)

// TestFailures holds the errors to what k3d and the nodes said when real creations failed.
func TestFailures(t *testing.T) {
	t.Parallel()
	tool := containers()
	tool.Settings = settings
	nodestest.Failures(t, *update, tool, func(said string) error { return explain(errors.New(said)) })
}

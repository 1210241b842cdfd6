//go:build !windows

package minikube

import (
	"errors"
	"testing"

	"github.com/clusterlab-dev/lab/providers/internal/nodes/nodestest"
)

// TestFailures checks the errors for recorded output of minikube and of nodes whose creation
// failed.
func TestFailures(t *testing.T) {
	t.Parallel()
	tool := engine{}.containers()
	tool.Settings = settings
	nodestest.Failures(t, *update, tool, func(said string) error {
		l := quiet()
		l.take([]byte(said))
		return l.failure(errors.New("exit status 80"), "")
	})
}

//go:build !windows

package nodes

import (
	"context"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// TestAwaitDeath: a node that ended is given up, one that is not started yet is not.
func TestAwaitDeath(t *testing.T) {
	for name, test := range map[string]struct {
		node docker.Container
		says string
	}{
		"killed": {node("control-plane", "exited"), "node lab-control-plane does not run any more (exit code 137)"},
		"paused": {node("control-plane", "paused"), "node lab-control-plane is paused"},
		"alive":  {node("control-plane", "running"), ""},
		"unborn": {node("control-plane", "created"), ""},
	} {
		dockertest.Script(t, dockertest.Having(t, test.node)...)
		limit := time.Second
		if test.says != "" { // which ends it before, however busy the machine is
			limit = time.Minute
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		err := tool().awaitDeath(ctx, "lab", 10*time.Millisecond)
		cancel()
		if got := errText(err); got != test.says {
			t.Errorf("%s: %q, want %q", name, got, test.says)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestWatchStops(t *testing.T) {
	dockertest.Script(t, dockertest.Answer{Args: "ps", Hangs: true})
	died, stop := tool().Watch(t.Context(), "lab")
	stop()
	select {
	case err := <-died:
		t.Errorf("it died of %v", err)
	default:
	}
}

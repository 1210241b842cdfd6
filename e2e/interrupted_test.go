//go:build e2e && unix

package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// pointsVariable names the environment variable with the number of points in time at which a creation is interrupted
// and killed.
const pointsVariable = "LAB_E2E_POINTS"

// TestInterrupted interrupts and kills lab during a creation. After Ctrl-C nothing may be left. After `kill -9` the
// next lab process must find and remove the leftovers. The points in time are spread evenly over the duration of a
// creation.
func TestInterrupted(t *testing.T) {
	points := 3
	if testing.Short() {
		points = 1
	}
	if text := os.Getenv(pointsVariable); text != "" {
		var err error
		if points, err = strconv.Atoi(text); err != nil || points < 1 {
			t.Fatalf("%s=%q is not a number of points", pointsVariable, text)
		}
	}
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		oneWillDo(t, f, "k3d")
		whole := creation(t, bed, f)
		for i := range points {
			after := whole * time.Duration(2*i+1) / time.Duration(2*points)
			at := fmt.Sprintf("at %d of %d", 2*i+1, 2*points)
			t.Run("Ctrl-C "+at, func(t *testing.T) { interrupted(t, bed, f, after) })
			t.Run("killed "+at, func(t *testing.T) { killed(t, bed, f, after) })
		}
	})
}

// creation returns how long a creation takes.
func creation(t *testing.T, bed *bed, f flavor) time.Duration {
	t.Helper()
	p, name := newUser(t, bed), session.RandomName()
	began := time.Now()
	p.Must("up", name, "--flavor", f.name)
	took := time.Since(began)
	p.Must("down", name)
	p.checkNothing(name)
	return took
}

func interrupted(t *testing.T, bed *bed, f flavor, after time.Duration) {
	p, name := newUser(t, bed), session.RandomName()
	stderr, code, pgid := p.upUntil(syscall.SIGINT, true, after, name, "--flavor", f.name)
	if code != 130 || !strings.Contains(stderr, `"reason":"Interrupted"`) {
		t.Errorf("exit code %d:\n%s", code, stderr)
	}
	p.awaitGroup(pgid)
	p.checkNothing(name)
}

func killed(t *testing.T, bed *bed, f flavor, after time.Duration) {
	p, name := newUser(t, bed), session.RandomName()
	_, code, pgid := p.upUntil(syscall.SIGKILL, false, after, name, "--flavor", f.name)
	if code != -1 {
		t.Errorf("exit code %d", code)
	}
	switch state := p.List()[name].State; state {
	case "creating", "degraded", "running": // running: the tool was done, lab was not
	default:
		t.Errorf("state is %q", state)
	}
	p.Must("down", name) // at once, while processes that lab started may still create objects
	p.awaitGroup(pgid)
	p.checkNothing(name)
}

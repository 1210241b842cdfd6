package lab_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestNeverReady: a cluster that was made and does not become ready is not kept, but its
// logs are, unless somebody interrupts.
func TestNeverReady(t *testing.T) {
	for _, test := range []struct {
		cause error
		saved int
	}{{context.DeadlineExceeded, 1}, {context.Canceled, 0}} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, nil)
			b.Probe = &never{}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if errors.Is(test.cause, context.Canceled) {
				time.AfterFunc(time.Second, cancel)
			}
			q, logs := request("demo"), filepath.Join(b.home, "logs")
			q.Spec.LogsDir = logs
			_, err := b.Up(ctx, q, nil)
			wantIs(t, err, test.cause)
			saved, _ := filepath.Glob(filepath.Join(logs, "lab-demo-logs-*", "*"))
			if len(saved) != test.saved || strings.Contains(err.Error(), "its logs are in "+logs) != (test.saved > 0) {
				t.Errorf("%v; there is %q", err, saved)
			}
			b.forgotten(t, "demo")
			if got := b.clusters(t); len(got) != 0 {
				t.Errorf("left: %+v", got)
			}
		})
	}
}

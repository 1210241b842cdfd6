package docker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
)

// TestInsist checks that errors are retried, that it gives up when the engine does not exist
// any more, and that it returns the last error when its time ends.
func TestInsist(t *testing.T) {
	busy := errors.New("removal is in progress")
	gone := fault.Errorf(fault.ErrUnavailable, "cannot connect")
	for name, test := range map[string]struct {
		errs []error // of one call after the other; the last stays
		want error
		took time.Duration
	}{
		"done":             {[]error{busy, busy, nil}, nil, 2 * time.Second},
		"never done":       {[]error{busy}, busy, time.Minute},
		"the engine blips": {[]error{gone, gone, busy, gone, gone, nil}, nil, 5 * time.Second},
		"the engine goes":  {[]error{busy, gone}, gone, 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				began, calls := time.Now(), 0
				err := docker.Insist(ctx, time.Second, func() (bool, error) {
					err := test.errs[min(calls, len(test.errs)-1)]
					calls++
					return err == nil, err
				})
				if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
					t.Errorf("%v, want %v", err, test.want)
				}
				if took := time.Since(began).Round(time.Second); took != test.took {
					t.Errorf("it took %s, want %s", took, test.took)
				}
			})
		})
	}
}

package supervise_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/clusterlab-dev/lab/providers/kwok/engine/internal/supervise"
)

func TestPatient(t *testing.T) {
	passing, lasting := errors.New("etcdserver: request timed out"), errors.New("forbidden")
	for name, test := range map[string]struct {
		errs  []error // of each call; the last of all others
		want  error
		calls int
	}{
		"at once":         {[]error{nil}, nil, 1},
		"it passes":       {[]error{passing, passing, nil}, nil, 3},
		"it stays":        {[]error{passing, lasting}, lasting, 2},
		"it never passes": {[]error{passing}, passing, 7},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				run := supervise.Patient(time.Second+time.Millisecond, func(err error) bool { return errors.Is(err, passing) },
					func(context.Context, func()) error {
						calls++
						return test.errs[min(calls, len(test.errs))-1]
					})
				if err := run(t.Context(), nil); !errors.Is(err, test.want) || calls != test.calls {
					t.Errorf("%v after %d calls, want %v after %d", err, calls, test.want, test.calls)
				}
			})
		})
	}
}

// TestPatientEnds shows that it does not wait where it is to end.
func TestPatientEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		passing := errors.New("passes")
		run := supervise.Patient(time.Hour, func(error) bool { return true }, func(context.Context, func()) error {
			cancel()
			return passing
		})
		began := time.Now()
		if err := run(ctx, nil); !errors.Is(err, passing) || time.Since(began) > 0 {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

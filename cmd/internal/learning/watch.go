package learning

import (
	"context"
	"reflect"
	"time"

	"github.com/clusterlab-dev/lab/exercises"
)

// watchInterval is the time between two looks at the cluster.
const watchInterval = 500 * time.Millisecond

// Watch looks at an exercise until it passes or ctx ends, and calls changed with each result that
// differs from the one before. An API server that does not answer is such a result: its error. Checks
// that act do not run. Watch returns nil if the exercise passed as far as possible without them.
func (l *Learning) Watch(ctx context.Context, c Choice, changed func(Report, error) error) error {
	p, err := l.ready(ctx, c)
	if err != nil {
		return err
	}
	var last exercises.Results
	failing := ""
	for first := true; ; first = false {
		r, err := l.observe(ctx, c, p, 0)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		switch {
		case err != nil && err.Error() != failing, err == nil && (first || failing != "" || !reflect.DeepEqual(last, r.Results)):
			if err := changed(r, err); err != nil {
				return err
			}
		}
		failing = ""
		if err != nil {
			failing = err.Error()
		} else {
			last = r.Results
			if r.Results.Passed() || r.Results.Half() {
				return l.progress().append(l.result(c, r.Results))
			}
			if first, _ := r.Results.First(); first.State == exercises.Pending {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(watchInterval):
		}
	}
}

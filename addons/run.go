package addons

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Run calls do for each addon of a plan, concurrently. Addons wait for those of the plan that they
// need. A failed addon stops only those that need it. Run joins the errors of all.
func Run(ctx context.Context, plan []Addon, do func(context.Context, Addon) error) error {
	done := map[string]chan struct{}{}
	for _, a := range plan {
		done[a.Name] = make(chan struct{})
	}
	errs := make([]error, len(plan))
	failed := &failures{}
	var wg sync.WaitGroup
	for i, a := range plan {
		wg.Go(func() {
			defer close(done[a.Name])
			for _, need := range a.Needs {
				if ch, planned := done[need]; planned {
					<-ch
				}
			}
			errs[i] = failed.guard(ctx, a, do)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// failures are the addons that failed.
type failures struct {
	mu    sync.Mutex
	names map[string]bool
}

// guard calls do unless an addon that a needs failed.
func (f *failures) guard(ctx context.Context, a Addon, do func(context.Context, Addon) error) error {
	err := f.blocked(a)
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = do(ctx, a)
	}
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.names == nil {
			f.names = map[string]bool{}
		}
		f.names[a.Name] = true
	}
	return err
}

func (f *failures) blocked(a Addon) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, need := range a.Needs {
		if f.names[need] {
			return fmt.Errorf("%s was not installed: it needs %s, which failed", a.Name, need)
		}
	}
	return nil
}

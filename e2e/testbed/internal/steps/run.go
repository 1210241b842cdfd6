package steps

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Runner runs steps. Dir and Progress must be set.
type Runner struct {
	Dir      string    // contains stamps/NAME and logs/NAME.log
	Progress io.Writer // gets one line per executed step
}

// Run executes all steps in the order of their needs. It stops at the first failure, cancels running steps, and
// returns an error with the path of the step's log.
func (r Runner) Run(ctx context.Context, all []Step) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, dir := range []string{"stamps", "logs"} {
		if err := os.MkdirAll(filepath.Join(r.Dir, dir), 0o700); err != nil {
			return err
		}
	}
	s := &state{Runner: r, lanes: map[string]*sync.Mutex{}, products: map[string]chan string{}}
	for _, step := range all {
		s.lanes[step.Lane] = &sync.Mutex{}
		s.products[step.Name] = make(chan string, len(all))
	}
	var wg sync.WaitGroup
	for _, step := range all {
		wg.Go(func() {
			if err := s.run(ctx, step); err != nil {
				cancel(err)
			}
			close(s.products[step.Name])
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return nil
}

// state is a running Run.
type state struct {
	Runner
	mu       sync.Mutex // guards Progress
	lanes    map[string]*sync.Mutex
	products map[string]chan string // each contains the product once per step that may need it
}

func (s *state) run(ctx context.Context, step Step) error {
	key, err := s.key(ctx, step)
	if err != nil {
		return err
	}
	lane := s.lanes[step.Lane]
	lane.Lock()
	defer lane.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	stamp := readStamp(s.Dir, step.Name)
	if step.Present == nil || stamp.Key != key || !step.Present(ctx, key) {
		if stamp, err = s.make(ctx, step, key); err != nil {
			return err
		}
	}
	for range cap(s.products[step.Name]) {
		s.products[step.Name] <- stamp.Product
	}
	return nil
}

// key waits for the products that step needs and returns a digest of them and of the step's inputs.
func (s *state) key(ctx context.Context, step Step) (string, error) {
	parts := []string{step.Name}
	for _, need := range step.Needs {
		products, ok := s.products[need]
		if !ok {
			return "", fmt.Errorf("%s needs %s, which is not a step", step.Name, need)
		}
		select {
		case product, ok := <-products:
			if !ok {
				return "", errors.Join(context.Cause(ctx), ctx.Err())
			}
			parts = append(parts, product)
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
	if step.Inputs != nil {
		inputs, err := step.Inputs()
		if err != nil {
			return "", fmt.Errorf("%s: %w", step.Name, err)
		}
		parts = append(parts, inputs)
	}
	return Digest(parts...), nil
}

func (s *state) make(ctx context.Context, step Step, key string) (stamp, error) {
	began := time.Now()
	path := filepath.Join(s.Dir, "logs", step.Name+".log")
	log, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return stamp{}, err
	}
	defer log.Close()
	product, err := step.Make(ctx, key, log)
	if err != nil {
		return stamp{}, fmt.Errorf("%s: %w (log: %s)", step.Name, err, path)
	}
	made := stamp{Key: key, Product: product}
	if step.Present == nil {
		return made, nil // a service reports its changes itself
	}
	s.say("%-22s done in %s", step.Name, time.Since(began).Round(100*time.Millisecond))
	return made, writeStamp(s.Dir, step.Name, made)
}

func (s *state) say(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.Progress, format+"\n", args...)
}

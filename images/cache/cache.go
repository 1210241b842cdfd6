package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/clusterlab-dev/lab/images/mirror"
	"github.com/clusterlab-dev/lab/images/store"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// The states of a cache.
const (
	Running = "running"
	Stopped = "stopped"
	// Failed: its container exists, but does not answer.
	Failed = "failed"
)

// Container runs the server.
type Container interface {
	// Find returns the container of the store in dir, or nil. Errors: ErrUnavailable if the engine does not
	// answer.
	Find(ctx context.Context, dir string) (*Instance, error)
	// Run creates and starts the container, or replaces one that differs. Errors: ErrUnavailable,
	// ErrUnsupported.
	Run(ctx context.Context, s Server, report event.Reporter) (*Instance, error)
	// Remove removes the container and its image, but not the store.
	Remove(ctx context.Context, dir string) error
}

// Instance is a container.
type Instance struct {
	Name     string
	Address  string   // on this machine; empty if it does not run
	Networks []string // of clusters, to which it is connected
}

// Cache is the image cache of this user.
type Cache struct {
	Dir        string // of the store
	Mark       string // a file that exists from Start to Stop
	Registries map[string]string
	Container  Container
}

// Status is the state of a cache.
type Status struct {
	State    string
	Address  string   // on this machine
	Networks []string // of clusters, to which it is connected
	Content  Content
	Problem  error // why State is Failed, or why the container could not be found
}

// Status returns the state and the contents of the cache. It starts nothing. It returns the contents even if the engine
// does not answer.
func (c *Cache) Status(ctx context.Context) (Status, error) {
	status := Status{State: Stopped}
	instance, err := c.Container.Find(ctx, c.Dir)
	switch {
	case err != nil:
		status.Problem = err
	case instance != nil && instance.Address == "":
		status.State, status.Problem = Failed, fmt.Errorf("its container does not run")
	case instance != nil:
		status.Address, status.Networks = instance.Address, instance.Networks
		if status.Content, err = ask(ctx, instance.Address); err == nil {
			status.State = Running
			return status, nil
		}
		status.State, status.Problem = Failed, err
	}
	status.Content, err = Contents(ctx, c.store(0))
	return status, err
}

// Start starts the cache with a limit in bytes, and waits until it answers. It does nothing if it runs already.
// Errors: ErrUnavailable, ErrUnsupported.
func (c *Cache) Start(ctx context.Context, limit int64, report event.Reporter) (Status, error) {
	if _, err := mirror.New(c.store(0), mirror.Options{Registries: c.Registries}); err != nil {
		return Status{}, fault.WithHint(fault.Errorf(fault.ErrInvalid, "%w", err), "correct registries in your config.yaml, or LAB_REGISTRIES")
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil { // else the engine creates it, as root
		return Status{}, err
	}
	instance, err := c.Container.Run(ctx, Server{Dir: c.Dir, Limit: limit, Registries: c.Registries}, report)
	if err != nil {
		return Status{}, err
	}
	if err := os.MkdirAll(filepath.Dir(c.Mark), 0o700); err != nil {
		return Status{}, err
	}
	if err := os.WriteFile(c.Mark, nil, 0o600); err != nil {
		return Status{}, err
	}
	var content Content
	err = report.Do("Waiting for the cache", func(*event.Step) error {
		content, err = await(ctx, instance.Address)
		return err
	})
	if err != nil {
		return Status{}, fault.WithHint(fmt.Errorf("the cache does not answer on %s: %w", instance.Address, err), "read its log: docker logs %s", instance.Name)
	}
	return Status{State: Running, Address: instance.Address, Networks: instance.Networks, Content: content}, nil
}

// patience is how long a new container may take to answer.
const patience = time.Minute

func await(ctx context.Context, address string) (content Content, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		if content, err = ask(ctx, address); err == nil {
			return content, nil
		}
		select {
		case <-ctx.Done():
			return content, err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// Stop removes the container. The images stay.
func (c *Cache) Stop(ctx context.Context) error {
	if err := c.Container.Remove(ctx, c.Dir); err != nil {
		return err
	}
	if err := os.Remove(c.Mark); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Started reports whether the cache was started and not stopped since. It asks no engine.
func (c *Cache) Started() bool {
	_, err := os.Stat(c.Mark)
	return err == nil
}

// Prune removes images that no bundle contains, the least recently used first, until at most keep bytes are left. It
// returns the number of removed bytes.
func (c *Cache) Prune(ctx context.Context, keep int64) (int64, error) {
	removed, err := c.store(0).Prune(ctx, keep)
	return removed.Bytes, err
}

func (c *Cache) store(limit int64) *store.Store {
	return store.Open(c.Dir, store.Options{Limit: limit})
}

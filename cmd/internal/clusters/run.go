package clusters

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Runs creates clusters for one command each, and deletes them afterwards.
type Runs struct{ Clusters *Clusters }

// Running is the cluster of a run.
type Running struct {
	output.Cluster
	Config  []byte // a kubeconfig with this cluster only
	Scratch string // a directory that is deleted with the cluster, and may not exist yet
}

// RunName returns a name for the cluster of a run that no other cluster has.
func RunName() string { return "run-" + strings.ToLower(rand.Text()[:10]) }

// Work is what a run does with its cluster.
type Work struct {
	Do     func(Running) error // the work itself
	Failed func(Running)       // called with a cluster that exists, if Do or the installation of its addons failed
	Keep   func() bool         // reports whether such a cluster stays
}

// Run creates the cluster of q, calls w.Do, and deletes the cluster, even if ctx has ended, unless
// w.Keep says that it stays. err is the error of the creation (see [Clusters.Up]) or of w.Do. left is
// why the cluster could not be deleted. Then [Expiry.Collect] deletes it, as it does if this process
// is killed.
func (s *Runs) Run(ctx context.Context, q UpRequest, w Work, report event.Reporter) (left, err error) {
	name := q.Spec.Name
	// Before there is a record: without this mark, Collect would take the cluster for abandoned.
	release, err := s.Clusters.Inventory.State.Use(name)
	if err != nil {
		return nil, err
	}
	defer release()
	q.NoKubeconfig, q.run = true, true
	running, err := s.begin(ctx, q, report)
	if err == nil {
		err = w.Do(running)
	}
	if err != nil && running.Name != "" {
		w.Failed(running)
		if w.Keep() {
			return s.keep(ctx, name), err
		}
	}
	return s.end(ctx, name, report), err
}

// begin creates the cluster. With an error it also returns the cluster if that exists: then only its
// addons failed.
func (s *Runs) begin(ctx context.Context, q UpRequest, report event.Reporter) (Running, error) {
	cluster, failed := s.Clusters.Up(ctx, q, report)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollback) // the time of ctx may be over
	defer cancel()
	config, err := s.Clusters.Config(ctx, q.Spec.Name)
	switch {
	case err != nil && failed != nil:
		return Running{}, failed
	case err != nil:
		return Running{}, err
	}
	cluster.Name = q.Spec.Name
	return Running{Cluster: cluster, Config: config, Scratch: s.Clusters.Inventory.State.Scratch(cluster.Name)}, failed
}

// keep lets the cluster stay after the run.
func (s *Runs) keep(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollback)
	defer cancel()
	_, err := s.Clusters.change(ctx, name, nil, func(h *inventory.Handle) error {
		h.Record.Run = false
		return h.Put()
	})
	return err
}

// end deletes the cluster if it exists: its creation may have failed, or the command may have deleted
// it.
func (s *Runs) end(ctx context.Context, name string, report event.Reporter) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollback)
	defer cancel()
	store := s.Clusters.Inventory.State
	if _, err := store.Get(name); errors.Is(err, fault.ErrNotFound) {
		return store.Delete(name)
	}
	return s.Clusters.Down(ctx, name, report)
}

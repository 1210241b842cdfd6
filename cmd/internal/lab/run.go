package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Running is the cluster of a [Lab.Run], as what runs on it sees it.
type Running struct {
	Cluster
	Config  []byte // a kubeconfig for it alone
	Scratch string // a directory that goes with the cluster, and need not exist
}

// RunName returns a name for the cluster of a `lab run` that no other has.
func RunName() string { return "run-" + strings.ToLower(rand.Text()[:10]) }

// Work is what a [Lab.Run] has its cluster for.
type Work struct {
	Do     func(Running) error // the work itself
	Failed func(Running)       // looks at a cluster that stands, after Do or its addons failed
	Keep   func() bool         // tells whether such a cluster stays
}

// Run makes the cluster that q asks for, has the work done, and deletes the cluster, even
// if ctx has ended, unless the work says that it stays. err is that of the creation (see
// [Lab.Up]), or of Do. left is why the cluster could not be deleted; then [Lab.Collect]
// will, as it does where this process is killed.
func (l *Lab) Run(ctx context.Context, q UpRequest, w Work, report event.Reporter) (left, err error) {
	name := q.Spec.Name
	// Before there is a record, or whoever collects would take it for abandoned.
	release, err := l.State.Use(name)
	if err != nil {
		return nil, err
	}
	defer release()
	q.NoKubeconfig, q.run = true, true
	running, err := l.begin(ctx, q, report)
	if err == nil {
		err = w.Do(running)
	}
	if err != nil && running.Name != "" {
		w.Failed(running)
		if w.Keep() {
			return l.keep(ctx, name), err
		}
	}
	return l.end(ctx, name, report), err
}

// begin makes the cluster. On an error it returns the cluster too, if that stands: when
// nothing but its addons failed.
func (l *Lab) begin(ctx context.Context, q UpRequest, report event.Reporter) (Running, error) {
	cluster, failed := l.Up(ctx, q, report)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollback) // whose time may be over
	defer cancel()
	config, err := l.ClusterConfig(ctx, q.Spec.Name)
	switch {
	case err != nil && failed != nil:
		return Running{}, failed
	case err != nil:
		return Running{}, err
	}
	cluster.Name = q.Spec.Name
	return Running{Cluster: cluster, Config: config, Scratch: l.State.Scratch(cluster.Name)}, failed
}

// keep makes the cluster one like any other.
func (l *Lab) keep(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollback)
	defer cancel()
	_, err := l.change(ctx, name, nil, func(h *handle) error {
		h.record.Run = false
		return h.put()
	})
	return err
}

// end deletes the cluster, if it is there: its creation may have failed, or the command
// may have deleted it.
func (l *Lab) end(ctx context.Context, name string, report event.Reporter) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollback)
	defer cancel()
	if _, err := l.State.Get(name); errors.Is(err, fault.ErrNotFound) {
		return l.State.Delete(name)
	}
	return l.Down(ctx, name, report)
}

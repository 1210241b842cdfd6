package kwok

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

// launchWithin is how long a new cluster may have no engine: the time that the program needs to start on
// a busy machine.
const launchWithin = 30 * time.Second

// List returns the clusters in the directory, and those whose directory was deleted while their engine
// runs. A broken cluster is listed with the reason. List returns an error only if it cannot read the
// directory. It removes what an interrupted Delete left.
func (p *Provider) List(ctx context.Context) ([]providers.Cluster, error) {
	entries, err := os.ReadDir(p.opts.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	_ = destroy(ctx, p.leftovers("*")...) // the next Delete reports errors

	var names []string
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() && providers.ValidateName(name) == nil && isCluster(p.dir(name)) {
			names = append(names, name)
		}
	}
	clusters := make([]providers.Cluster, len(names))
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() { clusters[i] = p.inspect(ctx, name) })
	}
	all.Wait()
	for name, pid := range orphans(p.opts.Dir) {
		if providers.ValidateName(name) == nil && !slices.Contains(names, name) {
			clusters = append(clusters, orphan(name, pid))
		}
	}
	return clusters, ctx.Err()
}

// orphan returns a cluster of which only the engine is left. It has no mark and no ID, because these were
// in the directory.
func orphan(name string, pid int) providers.Cluster {
	reason := fmt.Sprintf("its directory was deleted, and its lab-engine, process %d, still runs", pid)
	return providers.Cluster{Name: name, Provider: Name, State: providers.StateDegraded, Bare: true, Reason: reason}
}

// inspect returns one cluster with its state.
func (p *Provider) inspect(ctx context.Context, name string) providers.Cluster {
	dir := p.dir(name)
	access, accessErr := readAccess(dir)
	// The identity is set even if the rest is unknown, so that the cluster can be deleted.
	c := identify(dir, name)
	c.State = providers.StateUnknown
	pid, err := holder(dir)
	if err != nil {
		c.Reason = err.Error()
		return c
	}
	s, err := readStatus(dir)
	if err != nil {
		c.Reason = err.Error()
		return c
	}
	c.KubernetesVersion, c.Reason = s.KubernetesVersion, ""
	switch {
	case pid == 0:
		c.State, c.Reason = dead(dir, name, s)
	case s.PID != pid || s.Phase == phaseStarting: // a status of another pid is from an earlier engine
		c.State = providers.StateCreating
	case s.Phase == phaseStopped:
		c.State = providers.StateStopped // only its process is still ending
	case accessErr != nil:
		c.Reason = accessErr.Error()
	default:
		c.State = providers.StateRunning
		if err := access.ready(ctx, s.APIPort); err != nil {
			c.State, c.Reason = p.unanswered(ctx, name, pid, err)
		}
	}
	return c
}

// unanswered returns the state of a cluster whose API server did not answer. pid is the engine, which
// may have ended in the meantime.
func (p *Provider) unanswered(ctx context.Context, name string, pid int, failure error) (providers.State, string) {
	if now, err := holder(p.dir(name)); err == nil && now != pid && ctx.Err() == nil {
		c := p.inspect(ctx, name)
		return c.State, c.Reason
	}
	return providers.StateDegraded, "its API server does not answer: " + failure.Error()
}

// dead returns the state of a cluster without an engine, and the reason.
func dead(dir, name string, s status) (providers.State, string) {
	if s.Phase == phaseStopped {
		return providers.StateStopped, ""
	}
	// An engine may have started and written the status in the meantime.
	if pid, err := holder(dir); err != nil || pid != 0 {
		return providers.StateCreating, ""
	}
	if s.EverReady {
		return providers.StateDegraded, "its lab-engine died (restart it: lab start " + name + ")"
	}
	if s.Phase == "" && youngerThan(launchWithin, filepath.Join(dir, configFile)) {
		return providers.StateCreating, ""
	}
	return providers.StateDegraded, "its creation was interrupted (resume it: lab start " + name + ")"
}

func youngerThan(age time.Duration, path string) bool {
	info, err := os.Stat(path)
	return err == nil && time.Since(info.ModTime()) < age
}

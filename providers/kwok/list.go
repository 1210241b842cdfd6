package kwok

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/clusterlab-dev/lab/providers"
)

// bornWithin is how long a new cluster may be without an engine: the time that
// a large program needs to start on a machine that is busy.
const bornWithin = 30 * time.Second

// List returns the clusters of this directory. One that is broken is among them,
// with the reason; only a directory that cannot be read is an error. It removes
// what an interrupted Delete left.
func (p *Provider) List(ctx context.Context) ([]providers.Cluster, error) {
	entries, err := os.ReadDir(p.opts.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	_ = destroy(ctx, p.leftovers("*")...) // the next Delete tells what is in the way

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
	return clusters, ctx.Err()
}

// inspect says what there is to say of one cluster.
func (p *Provider) inspect(ctx context.Context, name string) providers.Cluster {
	dir := p.dir(name)
	access, accessErr := readAccess(dir)
	// Whose it is is known even where nothing else is, so that it can be removed.
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
	case s.PID != pid || s.Phase == phaseStarting: // what another pid wrote is from a life before
		c.State = providers.StateCreating
	case s.Phase == phaseStopped:
		c.State = providers.StateStopped // all but its process has ended
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

// unanswered tells the state of a cluster whose API server, of the engine pid, did
// not answer: the engine may have ended meanwhile.
func (p *Provider) unanswered(ctx context.Context, name string, pid int, failure error) (providers.State, string) {
	if now, err := holder(p.dir(name)); err == nil && now != pid && ctx.Err() == nil {
		c := p.inspect(ctx, name)
		return c.State, c.Reason
	}
	return providers.StateDegraded, "its API server does not answer: " + failure.Error()
}

// dead tells what became of a cluster whose engine does not live.
func dead(dir, name string, s status) (providers.State, string) {
	if s.Phase == phaseStopped {
		return providers.StateStopped, ""
	}
	// An engine may have started since, which wrote the status that we read.
	if pid, err := holder(dir); err != nil || pid != 0 {
		return providers.StateCreating, ""
	}
	if s.EverReady {
		return providers.StateDegraded, "its engine died (lab start " + name + " brings it back)"
	}
	if s.Phase == "" && youngerThan(bornWithin, filepath.Join(dir, configFile)) {
		return providers.StateCreating, ""
	}
	return providers.StateDegraded, "its creation was interrupted (lab start " + name + " goes on with it)"
}

func youngerThan(age time.Duration, path string) bool {
	info, err := os.Stat(path)
	return err == nil && time.Since(info.ModTime()) < age
}

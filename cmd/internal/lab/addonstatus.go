package lab

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// addonViews shows the addons asked of a cluster, as they are now.
func (l *Lab) addonViews(ctx context.Context, h *handle) ([]Addon, error) {
	r := h.record
	views := make([]Addon, len(r.Addons))
	if len(views) == 0 {
		return views, nil
	}
	target, err := h.target(ctx)
	if err != nil {
		return nil, err
	}
	installed, err := l.Addons.Installer.List(ctx, target)
	if err != nil {
		return nil, err
	}
	r = l.observeIngress(ctx, r, target)
	indices := make([]int, len(views))
	for i := range indices {
		indices[i] = i
	}
	return views, sideBySide(indices, func(i int) (err error) {
		views[i], err = l.addonView(ctx, r, target, r.Addons[i].Addon, installed)
		return err
	})
}

func (l *Lab) addonView(ctx context.Context, r state.Record, target addons.Cluster, a addons.Addon, installed []addons.Installed) (Addon, error) {
	v := asked(r, a)
	v.State = addons.StatePending
	i := slices.IndexFunc(installed, func(in addons.Installed) bool { return in.Name == a.Name })
	if i < 0 {
		return v, nil
	}
	in := installed[i]
	v.Version, v.State, v.Reason = in.Version, in.State, in.Reason
	if in.State != addons.StateReady {
		return v, nil
	}
	missing, err := l.Addons.Checker.Look(ctx, target, a, in)
	if err != nil {
		if ctx.Err() != nil {
			return v, ctx.Err()
		}
		v.State, v.Reason = addons.StateFailed, err.Error()
	} else if missing != "" {
		v.State, v.Reason = addons.StateInstalling, missing
	}
	return v, nil
}

// awaitAddons waits until the addons that were there before a cluster was stopped work
// again.
func (l *Lab) awaitAddons(ctx context.Context, h *handle, report event.Reporter) error {
	r := h.record
	if len(r.Addons) == 0 {
		return nil
	}
	return report.Do("Waiting for addons", func(step *event.Step) error {
		target, err := h.target(ctx)
		if err != nil {
			return err
		}
		installed, err := l.Addons.Installer.List(ctx, target)
		if err != nil {
			return err
		}
		return l.whileAlive(ctx, r, func(ctx context.Context) error {
			return sideBySide(installed, func(in addons.Installed) error {
				request, asked := r.Addons.Get(in.Name)
				if !asked || in.State != addons.StateReady {
					return nil // it did not work before, either
				}
				return l.Addons.Checker.Wait(ctx, target, request.Addon, in, step.Progress)
			})
		})
	})
}

// portIngress is the port of the cluster on which an ingress controller serves HTTP.
const portIngress = 80

// urls are where a person finds the addon without any further ado.
func urls(r state.Record, a addons.Addon) []string {
	all := []string{}
	if a.Access.Host == "" || !r.Traits.RunsPods || !hasIngress(r) {
		return all
	}
	for _, p := range r.Spec.Ports {
		switch {
		case p.Container == portIngress && p.Host == 80:
			all = append(all, "http://"+a.Access.Host+a.Access.Path)
		case p.Container == portIngress:
			all = append(all, fmt.Sprintf("http://%s:%d%s", a.Access.Host, p.Host, a.Access.Path))
		}
	}
	return all
}

// hasIngress tells whether something serves the published port of the ingress: what the
// flavor brings along, or an addon that asks for that port or says that it does.
func hasIngress(r state.Record) bool {
	return r.Traits.Ingress || slices.ContainsFunc(r.Addons, func(q addons.Request) bool {
		return slices.Contains(q.Addon.Asks.Ports, portIngress) || slices.Contains(q.Addon.Provides, addons.ProvidesIngress)
	})
}

// observeIngress returns r with an ingress where a controller serves the published port
// that lab knows nothing of.
func (l *Lab) observeIngress(ctx context.Context, r state.Record, target addons.Cluster) state.Record {
	if !r.Traits.RunsPods || hasIngress(r) || !published(r.Spec, portIngress) {
		return r
	}
	serves, err := l.Addons.Checker.Ingress(ctx, target, portIngress)
	r.Traits.Ingress = serves && err == nil // without an answer there is no address to show
	return r
}

// opener is the command that reaches the addon where it has no address, or "".
func opener(r state.Record, a addons.Addon) string {
	if a.Access.Service == "" || !r.Traits.RunsPods || len(urls(r, a)) > 0 {
		return ""
	}
	command := "lab open " + a.Name
	if r.Name != DefaultName {
		command += " --name " + r.Name
	}
	return command
}

// unready returns the first addon that does not work, as an error, or nil.
func (c Cluster) unready() error {
	for _, a := range c.Addons {
		if a.State == addons.StateReady {
			continue
		}
		text := fmt.Sprintf("addon %s of cluster %q is %s", a.Name, c.Name, a.State)
		if a.Reason != "" {
			text += ": " + a.Reason
		}
		return fault.WithHint(fmt.Errorf("%s", text), "lab up %s goes on with it", c.Name)
	}
	return nil
}

// recallAddons shows the addons as they were seen last, in place of a look at the cluster.
func (c *Cluster) recallAddons(r state.Record) {
	if c.State != providers.StateRunning {
		return
	}
	for i, a := range c.Addons {
		c.Addons[i].State, c.Addons[i].Reason = r.AddonStates[a.Name].State, r.AddonStates[a.Name].Reason
	}
	c.judgeAddons()
}

// judgeAddons marks a cluster as degraded if an addon failed.
func (c *Cluster) judgeAddons() {
	if c.State != providers.StateRunning || c.Hint != "" {
		return
	}
	for _, a := range c.Addons {
		if a.State == addons.StateFailed {
			c.fail(providers.StateDegraded, fmt.Sprintf("addon %s failed: %s", a.Name, a.Reason), "lab up "+c.Name+" resumes it")
			return
		}
	}
}

// remember records the observed states of the addons, for List, unless another lab process
// works on the cluster and records them itself.
func (l *Lab) remember(ctx context.Context, r state.Record, seen []Addon) {
	states := map[string]state.AddonState{}
	for _, a := range seen {
		states[a.Name] = state.AddonState{State: a.State, Reason: a.Reason}
	}
	if maps.Equal(states, r.AddonStates) {
		return
	}
	hasty := *l.State
	hasty.Patience = 0
	unlock, err := hasty.Lock(ctx, r.Name)
	if err != nil {
		return
	}
	defer unlock()
	now, err := l.State.Get(r.Name)
	if err == nil && now.ID == r.ID && now.Phase == state.PhaseCreated && slices.Equal(now.Addons.Names(), r.Addons.Names()) {
		now.AddonStates = states
		_ = l.State.Put(now) // only List shows it, so a failure does no harm
	}
}

package lab

import (
	"context"
	"fmt"
	"slices"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
)

// addonViews shows the addons asked of a cluster, as they are now.
func (l *Lab) addonViews(ctx context.Context, r state.Record) ([]Addon, error) {
	views := make([]Addon, len(r.Addons))
	if len(views) == 0 {
		return views, nil
	}
	target, err := l.target(ctx, r)
	if err != nil {
		return nil, err
	}
	installed, err := l.Addons.Installer.List(ctx, target)
	if err != nil {
		return nil, err
	}
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
	v := Addon{
		Name: a.Name, Version: a.Chart.Version, State: addons.StatePending,
		Simulated: !r.Traits.RunsPods, URLs: urls(r, a),
	}
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
func (l *Lab) awaitAddons(ctx context.Context, r state.Record, report providers.Reporter) error {
	if len(r.Addons) == 0 {
		return nil
	}
	return report.Do("Waiting for addons", func(step *providers.Step) error {
		target, err := l.target(ctx, r)
		if err != nil {
			return err
		}
		installed, err := l.Addons.Installer.List(ctx, target)
		if err != nil {
			return err
		}
		return sideBySide(installed, func(in addons.Installed) error {
			request, asked := r.Addons.Get(in.Name)
			if !asked || in.State != addons.StateReady {
				return nil // it did not work before, either
			}
			return l.Addons.Checker.Wait(ctx, target, request.Addon, in, step.Progress)
		})
	})
}

// urls are where a person finds the addon without any further ado.
func urls(r state.Record, a addons.Addon) []string {
	all := []string{}
	if a.Access.Host == "" || !r.Traits.RunsPods {
		return all
	}
	for _, p := range r.Spec.Ports {
		switch {
		case p.Container == 80 && p.Host == 80:
			all = append(all, "http://"+a.Access.Host+a.Access.Path)
		case p.Container == 80:
			all = append(all, fmt.Sprintf("http://%s:%d%s", a.Access.Host, p.Host, a.Access.Path))
		}
	}
	return all
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
		return providers.WithHint(fmt.Errorf("%s", text), "lab up %s goes on with it", c.Name)
	}
	return nil
}

// Access is how a person reaches an addon.
type Access struct {
	URL            string // "" where a port must be forwarded
	Forward        func(context.Context, func(address string)) error
	Path           string
	User, Password string // only where they were asked for
	HasCredentials bool
}

// OpenAddon says how the addon is reached. With secrets the name and the password are
// read, too. It returns ErrNotFound where the cluster has no such addon, and
// ErrUnsupported where there is nothing to open.
func (l *Lab) OpenAddon(ctx context.Context, name, addon string, secrets bool) (Access, error) {
	r, err := l.made(ctx, name)
	if err != nil {
		return Access{}, err
	}
	request, ok := r.Addons.Get(addon)
	if !ok {
		return Access{}, l.noAddon(name, addon)
	}
	a := request.Addon
	if !r.Traits.RunsPods {
		err := providers.Errorf(providers.ErrUnsupported, "%s is simulated: no pod runs that could answer", addon)
		return Access{}, providers.WithHint(err, "lab flavors shows the flavors that run pods")
	}
	access := Access{Path: a.Access.Path, HasCredentials: a.Access.Credentials.Secret != ""}
	target, err := l.target(ctx, r)
	if err == nil && secrets {
		access.User, access.Password, err = l.Addons.Checker.Credentials(ctx, target, a.In(), a.Access.Credentials)
	}
	if err != nil {
		return Access{}, err
	}
	if found := urls(r, a); len(found) > 0 {
		access.URL = found[0]
		return access, nil
	}
	if a.Access.Service == "" {
		err := providers.Errorf(providers.ErrUnsupported, "%s has no address", addon)
		return Access{}, providers.WithHint(err, "lab kubectl %s -- get all --namespace %s shows what it is made of", name, a.In())
	}
	access.Forward = func(ctx context.Context, ready func(string)) error {
		return l.Addons.Checker.Forward(ctx, target, a.In(), addons.Endpoint{Service: a.Access.Service, Port: a.Access.Port}, ready)
	}
	return access, nil
}

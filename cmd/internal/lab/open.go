package lab

import (
	"context"
	"fmt"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers/fault"
)

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
	h, err := l.usableHandle(ctx, name)
	if err != nil {
		return Access{}, err
	}
	r := h.record
	request, ok := r.Addons.Get(addon)
	if !ok {
		return Access{}, l.noAddon(name, addon)
	}
	a := request.Addon
	if !r.Traits.RunsPods {
		err := fault.Errorf(fault.ErrUnsupported, "%s is simulated: no pod runs that could answer", addon)
		return Access{}, fault.WithHint(err, "lab flavors shows the flavors that run pods")
	}
	access := Access{Path: a.Access.Path, HasCredentials: a.Access.Credentials.Secret != ""}
	target, err := h.target(ctx)
	if err == nil && secrets {
		access.User, access.Password, err = l.Addons.Checker.Credentials(ctx, target, a.In(), a.Access.Credentials)
	}
	if err != nil {
		return Access{}, err
	}
	if found := urls(l.observeIngress(ctx, r, target), a); len(found) > 0 {
		access.URL = found[0]
		return access, nil
	}
	if a.Access.Service == "" {
		err := fault.Errorf(fault.ErrUnsupported, "%s has no address", addon)
		return Access{}, fault.WithHint(err, "lab kubectl %s -- get all --namespace %s shows what it is made of", name, a.In())
	}
	access.Forward = func(ctx context.Context, ready func(string)) error {
		err := l.Addons.Checker.Forward(ctx, target, a.In(), addons.Endpoint{Service: a.Access.Service, Port: a.Access.Port}, ready)
		if err != nil {
			err = fmt.Errorf("forward a port to %s: %w", addon, err)
		}
		return fault.WithHint(err, "lab status %s says how it is; then: lab open %s --name %s", name, addon, name)
	}
	return access, nil
}

package clusteraddons

import (
	"context"
	"fmt"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Access is how the user reaches an addon.
type Access struct {
	URL            string // "" if a port must be forwarded
	Forward        func(context.Context, func(address string)) error
	Path           string
	User, Password string // only if they were requested
	HasCredentials bool
}

// Open returns how the user reaches an addon. If secrets is true, it reads the user name and the
// password, too. It returns ErrNotFound if the cluster does not have the addon, and ErrUnsupported if
// there is nothing to open.
func (s *Addons) Open(ctx context.Context, name, addon string, secrets bool) (Access, error) {
	h, err := s.Inventory.OpenUsable(ctx, name)
	if err != nil {
		return Access{}, err
	}
	r := h.Record
	request, ok := r.Addons.Get(addon)
	if !ok {
		return Access{}, noAddon(name, addon)
	}
	a := request.Addon
	if !r.Traits.RunsPods {
		err := fault.Errorf(fault.ErrUnsupported, "%s is simulated: no pod runs that could answer", addon)
		return Access{}, fault.WithHint(err, "lab flavors shows the flavors that run pods")
	}
	access := Access{Path: a.Access.Path, HasCredentials: a.Access.Credentials.Secret != ""}
	target, err := h.Target(ctx)
	if err != nil {
		return Access{}, err
	}
	if secrets {
		access.User, access.Password, err = s.Tools.Checker.Credentials(ctx, target, a.In(), a.Access.Credentials)
		if err != nil {
			return Access{}, err
		}
	}
	if found := inventory.URLs(s.observeIngress(ctx, r, target), a); len(found) > 0 {
		access.URL = found[0]
		return access, nil
	}
	if a.Access.Service == "" {
		err := fault.Errorf(fault.ErrUnsupported, "%s has no address", addon)
		return Access{}, fault.WithHint(err, "list its objects: lab kubectl %s -- get all --namespace %s", name, a.In())
	}
	access.Forward = func(ctx context.Context, ready func(string)) error {
		err := s.Tools.Checker.Forward(ctx, target, a.In(), addons.Endpoint{Service: a.Access.Service, Port: a.Access.Port}, ready)
		if err != nil {
			err = fmt.Errorf("forward a port to %s: %w", addon, err)
		}
		return fault.WithHint(err, "lab status %s shows the state of the addon; then: lab open %s --name %s", name, addon, name)
	}
	return access, nil
}

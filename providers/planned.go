package providers

import (
	"context"
	"strings"
)

// Planned returns a provider for a flavor that lab is going to have: it describes
// itself, has no clusters, and can be used on no machine yet. instead names the
// flavors to use meanwhile.
func Planned(name string, d Description, instead ...string) Provider {
	return planned{name: name, description: d, instead: instead}
}

type planned struct {
	name        string
	description Description
	instead     []string
}

func (p planned) Name() string          { return p.name }
func (p planned) Describe() Description { return p.description }
func (p planned) Traits(Spec) Traits    { return Traits{} }

func (p planned) Check(context.Context, Spec) error {
	err := Errorf(ErrUnavailable, "this version of lab cannot make %s clusters yet", p.name)
	return WithHint(err, "use another flavor: %s", strings.Join(p.instead, ", "))
}

func (p planned) Create(ctx context.Context, spec Spec, _ Reporter) error { return p.Check(ctx, spec) }
func (p planned) Delete(context.Context, string) error                    { return ErrNotFound }
func (p planned) List(context.Context) ([]Cluster, error)                 { return nil, nil }

func (p planned) Kubeconfig(context.Context, string) ([]byte, error) { return nil, ErrNotFound }

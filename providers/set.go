package providers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Set is the flavors that this program knows, and the rules that hold for all of
// them: what a valid spec is, that a cluster is touched only where its identity is
// the one that lab recorded, and that every error says what failed, on which
// cluster, with which tool. It is safe for concurrent use on different names.
type Set struct {
	providers []Provider // in the order in which `--flavor auto` tries them
}

// NewSet returns the set of ps. It returns ErrInvalid if two share a name.
func NewSet(ps ...Provider) (*Set, error) {
	s := &Set{}
	for _, p := range ps {
		if slices.Contains(s.Names(), p.Name()) {
			return nil, Errorf(ErrInvalid, "two providers are called %q", p.Name())
		}
		s.providers = append(s.providers, p)
	}
	return s, nil
}

// All returns the providers in order of preference.
func (s *Set) All() []Provider { return slices.Clone(s.providers) }

// Names returns the flavors in order of preference.
func (s *Set) Names() []string {
	names := make([]string, len(s.providers))
	for i, p := range s.providers {
		names[i] = p.Name()
	}
	return names
}

// Get returns the provider of a flavor. It returns ErrInvalid where there is none.
func (s *Set) Get(flavor string) (Provider, error) {
	for _, p := range s.providers {
		if p.Name() == flavor {
			return p, nil
		}
	}
	err := Errorf(ErrInvalid, "there is no flavor %q", flavor)
	return nil, WithHint(err, "choose one of %s; lab flavors compares them", strings.Join(s.Names(), ", "))
}

// FirstUsable returns the first provider whose Check passes for spec. Where none does it
// returns ErrUnavailable, and says of each flavor why.
func (s *Set) FirstUsable(ctx context.Context, spec Spec) (Provider, error) {
	var reasons []error
	for _, p := range s.providers {
		err := p.Check(ctx, spec)
		if err == nil {
			return p, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		reasons = append(reasons, fmt.Errorf("%s: %w", p.Name(), err))
	}
	err := Errorf(ErrUnavailable, "no flavor can be used on this machine:\n%w", errors.Join(reasons...))
	return nil, WithHint(err, "lab flavors says how to mend each of them")
}

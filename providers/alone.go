package providers

import (
	"context"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Alone is how the tool of a flavor creates a cluster without lab.
type Alone struct {
	Tool       string     // the name of the program, for people
	Version    []string   // prints the version of the program
	Env        []string   // in addition to the environment of lab
	Create     [][]string // command lines, in this order
	Delete     []string   // succeeds, too, if Create failed half-way
	Kubeconfig string     // the file that the last command of Create has written
}

// Comparable is implemented by providers whose tool can create a cluster without lab, so that
// the two can be compared.
type Comparable interface {
	// Alone returns how the tool creates the cluster of spec: with the same image, the same
	// nodes and the tool's own defaults, without anything that lab changes for speed. The
	// commands write into dir, which exists, and to the engine; none changes the user's
	// kubeconfig. It returns ErrUnavailable if the tool's own program is not installed, even if
	// lab itself does not need it.
	Alone(ctx context.Context, spec Spec, dir string) (Alone, error)
}

// Alone returns how the tool of a flavor creates a cluster without lab. Errors are those of
// [Set.Get], [Set.Resolve] and [Comparable].Alone, and ErrUnsupported.
func (s *Set) Alone(ctx context.Context, flavor string, spec Spec, dir string) (Alone, error) {
	p, err := s.Get(flavor)
	if err != nil {
		return Alone{}, err
	}
	c, ok := p.(Comparable)
	if !ok {
		return Alone{}, wrap("compare", p, "", unsupported("be compared with its tool", "compare lab with itself: lab bench --against warm"))
	}
	if spec, err = resolve(ctx, p, spec.WithDefaults()); err != nil {
		return Alone{}, wrap("compare", p, spec.Name, err)
	}
	alone, err := c.Alone(ctx, spec, dir)
	return alone, wrap("compare", p, spec.Name, err)
}

// NoProgram returns the error of a [Comparable] whose program is not installed.
func NoProgram(name, homepage string, err error) error {
	err = fault.Errorf(fault.ErrUnavailable, "cannot run the program %s: %w", name, err)
	return fault.WithHint(err, "install %s: %s; or compare lab with itself: lab bench --against warm", name, homepage)
}

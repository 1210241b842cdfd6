package providers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Set is the flavors of this program and the rules for all of them: what a valid spec is, that
// a cluster is changed only if its identity is the recorded one, and that every error says what
// failed, on which cluster, with which tool. It is safe for concurrent use on different names.
type Set struct {
	providers []Provider // in the order in which `--flavor auto` tries them
}

// NewSet returns the set of ps. It returns ErrInvalid if two share a name.
func NewSet(ps ...Provider) (*Set, error) {
	s := &Set{}
	for _, p := range ps {
		if slices.Contains(s.Names(), p.Name()) {
			return nil, fault.Errorf(fault.ErrInvalid, "duplicate provider %q", p.Name())
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

// Get returns the provider of a flavor. It returns ErrInvalid if the flavor is unknown.
func (s *Set) Get(flavor string) (Provider, error) {
	for _, p := range s.providers {
		if p.Name() == flavor {
			return p, nil
		}
	}
	err := fault.Errorf(fault.ErrInvalid, "unknown flavor %q", flavor)
	return nil, fault.WithHint(err, "use one of %s; to compare them: lab flavors", strings.Join(s.Names(), ", "))
}

// FirstUsable returns the first provider whose Check passes for spec. If none does, it returns
// ErrUnavailable with the reason of each flavor.
func (s *Set) FirstUsable(ctx context.Context, spec Spec) (Provider, error) {
	var reasons []error
	for _, p := range s.providers {
		err := check(ctx, p, spec)
		if _, pulled := errors.AsType[*NotLocal](err); err == nil || pulled {
			return p, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		reasons = append(reasons, fmt.Errorf("%s: %w", p.Name(), err))
	}
	err := fault.Errorf(fault.ErrUnavailable, "no flavor is usable on this machine:\n%w", errors.Join(reasons...))
	return nil, fault.WithHint(err, "see how to fix each flavor: lab flavors")
}

// Check returns nil if the flavor could create a cluster from spec on this machine now. It asks
// no registry: for a node image that is not on this machine it returns [NotLocal], because the
// engine may use a mirror that lab does not know. Other errors are those of [Set.Get],
// [Set.Resolve] and [Provider].Check.
func (s *Set) Check(ctx context.Context, flavor string, spec Spec) error {
	p, err := s.Get(flavor)
	if err != nil {
		return err
	}
	spec.Offline = true
	return check(ctx, p, spec)
}

func check(ctx context.Context, p Provider, spec Spec) error {
	spec, err := resolve(ctx, p, spec)
	if err != nil {
		return err
	}
	if err := restorable(p, spec.From); err != nil {
		return err
	}
	if v, ok := p.(Validator); ok && spec.Name != "" {
		if err := cmp.Or(spec.Validate(), v.Validate(spec)); err != nil {
			return err
		}
	}
	return p.Check(ctx, spec)
}

// Validate returns ErrInvalid or ErrUnsupported if the flavor cannot create a cluster from spec
// on any machine that has the files which spec names. It asks no tool, so an inexact version of
// Kubernetes passes.
func (s *Set) Validate(flavor string, spec Spec) error {
	p, err := s.Get(flavor)
	if err != nil {
		return err
	}
	spec = localize(p, spec.WithDefaults())
	if err := spec.Validate(); err != nil {
		return err
	}
	if !isExact(spec.KubernetesVersion) {
		spec.KubernetesVersion = ""
	}
	if v, ok := p.(Validator); ok {
		return wrap("validate", p, "", v.Validate(spec))
	}
	return nil
}

// CheckPorts returns ErrExists where another program has a port that spec publishes.
func (s *Set) CheckPorts(ctx context.Context, spec Spec) error { return checkPorts(ctx, spec.Ports) }

// Create creates a cluster of the flavor and returns it. It returns ErrInvalid if spec is not
// valid, ErrExists if the tool has a cluster of that name, and otherwise the errors of
// [Provider].Create.
func (s *Set) Create(ctx context.Context, flavor string, spec Spec, report event.Reporter) (Cluster, error) {
	p, err := s.Get(flavor)
	if err != nil {
		return Cluster{}, err
	}
	c, err := create(ctx, p, spec.WithDefaults(), report.For(spec.Name))
	return c, wrap("create", p, spec.Name, err)
}

func create(ctx context.Context, p Provider, spec Spec, report event.Reporter) (Cluster, error) {
	if err := spec.Validate(); err != nil {
		return Cluster{}, err
	}
	spec, err := resolve(ctx, p, spec)
	if err != nil {
		return Cluster{}, err
	}
	if err := restorable(p, spec.From); err != nil {
		return Cluster{}, err
	}
	spec.Offline = true // the engine tries to pull
	if err := p.Check(ctx, spec); err != nil {
		if _, pulled := errors.AsType[*NotLocal](err); !pulled {
			return Cluster{}, err
		}
	}
	if err := checkPorts(ctx, spec.Ports); err != nil {
		return Cluster{}, err
	}
	if err := p.Create(ctx, spec, report); err != nil {
		return Cluster{}, err
	}
	return own(ctx, p, Ref{Provider: p.Name(), Name: spec.Name, Mark: spec.Mark})
}

// Engine returns the engine on which the flavor would create a cluster now. lab records it
// before the creation, and looks for the cluster there later, whatever engine is in use then.
// It is zero if the flavor uses no engine. Engine returns ErrUnavailable if the engine does not
// answer.
func (s *Set) Engine(ctx context.Context, flavor string, spec Spec) (Engine, error) {
	p, err := s.Get(flavor)
	if err != nil {
		return Engine{}, err
	}
	u, ok := p.(EngineUser)
	if !ok {
		return Engine{}, nil
	}
	engine, err := u.Engine(ctx, spec)
	return engine, wrap("create", p, spec.Name, err)
}

// Delete deletes the cluster. It returns ErrNotFound if the cluster does not exist, after it
// has removed leftovers of an interrupted creation or deletion; ErrForeign if the cluster of
// that name is not ref's, which it leaves unchanged; and ErrUnavailable if the tool or the
// engine cannot be asked, or cannot determine the owner.
func (s *Set) Delete(ctx context.Context, ref Ref) error {
	p, err := s.Get(ref.Provider)
	if err != nil {
		return err
	}
	err = p.Delete(ctx, ref)
	if errors.Is(err, fault.ErrNotFound) || errors.Is(err, fault.ErrForeign) {
		err = cmp.Or(checkEngine(ctx, p, ref), err)
	}
	if f, ok := p.(Forgetter); ok && errors.Is(err, fault.ErrForeign) {
		return errors.Join(wrap("delete", p, ref.Name, err), wrap("delete", p, ref.Name, f.Forget(ref.Name)))
	}
	return wrap("delete", p, ref.Name, explain(p, err))
}

// Kubeconfig returns the cluster's self-contained kubeconfig. Errors are those of
// Delete.
func (s *Set) Kubeconfig(ctx context.Context, ref Ref) ([]byte, error) {
	p, err := s.Get(ref.Provider)
	if err != nil {
		return nil, err
	}
	// The provider finds the cluster itself and checks that it is ref's: a listing here would
	// repeat that.
	kubeconfig, err := p.Kubeconfig(ctx, ref)
	if errors.Is(err, fault.ErrNotFound) || errors.Is(err, fault.ErrForeign) {
		err = cmp.Or(checkEngine(ctx, p, ref), err)
	}
	return kubeconfig, wrap("read the kubeconfig of", p, ref.Name, explain(p, err))
}

// Find returns the cluster. Errors are those of Delete.
func (s *Set) Find(ctx context.Context, ref Ref) (c Cluster, err error) {
	p, err := s.Get(ref.Provider)
	if err == nil {
		c, err = own(ctx, p, ref)
		err = wrap("find", p, ref.Name, err)
	}
	return c, err
}

// List returns the clusters of the given flavors, or of all, sorted by name. It asks the tools
// concurrently. If some of them fail, it returns the clusters of the others together with the
// errors, each an [Error] that names its provider. It returns ErrInvalid for a flavor that is
// not in the set.
func (s *Set) List(ctx context.Context, flavors ...string) ([]Cluster, error) {
	found := make([][]Cluster, len(s.providers))
	errs := make([]error, len(s.providers))
	var wg sync.WaitGroup
	for i, p := range s.providers {
		if len(flavors) > 0 && !slices.Contains(flavors, p.Name()) {
			continue
		}
		wg.Go(func() {
			var err error
			found[i], err = p.List(ctx)
			errs[i] = wrap("list", p, "", err)
		})
	}
	wg.Wait()
	for i, flavor := range flavors {
		if _, err := s.Get(flavor); err != nil && slices.Index(flavors, flavor) == i {
			errs = append(errs, &Error{Op: "list", Provider: flavor, Err: err})
		}
	}
	all := slices.Concat(found...)
	slices.SortFunc(all, func(a, b Cluster) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Provider, b.Provider))
	})
	return all, errors.Join(errs...)
}

// on calls f with ref's provider once the cluster is certainly ref's.
func (s *Set) on(ctx context.Context, op string, ref Ref, f func(Provider) error) error {
	p, err := s.Get(ref.Provider)
	if err != nil {
		return err
	}
	if _, err = own(ctx, p, ref); err == nil {
		err = f(p)
	}
	return wrap(op, p, ref.Name, err)
}

// own returns the cluster, or the error of [Ref.Check].
func own(ctx context.Context, p Provider, ref Ref) (Cluster, error) {
	found := lookup(ctx, p, ref.Engine, []Ref{ref})[0]
	if found.Err == nil && found.Cluster == nil {
		found.Err = explain(p, fault.Errorf(fault.ErrNotFound, "cluster not found"))
	}
	if found.Err == nil {
		found.Err = ref.Check(*found.Cluster)
	}
	if found.Err != nil {
		return Cluster{}, found.Err
	}
	return *found.Cluster, nil
}

// explain adds a hint to the error of a cluster that does not exist.
func explain(p Provider, err error) error {
	if errors.Is(err, fault.ErrNotFound) && fault.HintOf(err) == "" {
		return fault.WithHint(err, "list the existing clusters: lab list")
	}
	return err
}

func wrap(op string, p Provider, cluster string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Provider: p.Name(), Cluster: cluster, Err: err}
}

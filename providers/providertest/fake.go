package providertest

import (
	"cmp"
	"context"
	"errors"
	"os"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// FakeOptions describe the flavor of a fake. The zero value has every ability.
type FakeOptions struct {
	Name        string // the flavor; "" means "fake"
	Description providers.Description
	Traits      providers.Traits
	Without     Ability // the optional ability that it does not have; "" means it has all

	// Context is the name of a cluster's context in its kubeconfig, with %s for the cluster's
	// name; "" means NAME-%s.
	Context string

	// KubernetesVersion is that of clusters whose spec names none; "" means v1.37.2.
	KubernetesVersion string

	// Refuse returns the error for a spec that the flavor does not support; nil accepts every
	// valid one.
	Refuse func(spec providers.Spec) error

	// Alone returns how a tool creates a cluster without lab; nil means that it is not installed.
	Alone func(spec providers.Spec, dir string) providers.Alone
}

// NewFake returns a provider whose clusters are files on m. It keeps the contract, except for
// the [Faults] of m. It implements every optional interface except the one that options leave
// out.
func NewFake(m Machine, options FakeOptions) providers.Provider {
	options.Name = cmp.Or(options.Name, "fake")
	options.Context = cmp.Or(options.Context, options.Name+"-%s")
	options.KubernetesVersion = cmp.Or(options.KubernetesVersion, "v1.37.2")
	options.Description.Summary = cmp.Or(options.Description.Summary, "clusters made of files")
	f := &fake{machine: m, FakeOptions: options}
	return f.without(options.Without)
}

// fake holds no clusters in memory: the machine does.
type fake struct {
	FakeOptions
	machine Machine
}

func (f *fake) Name() string                           { return f.FakeOptions.Name }
func (f *fake) Describe() providers.Description        { return f.Description }
func (f *fake) Traits(providers.Spec) providers.Traits { return f.FakeOptions.Traits }

func (f *fake) Check(ctx context.Context, _ providers.Spec) error {
	faults, err := f.machine.faults()
	if err != nil {
		return err
	}
	return cmp.Or(ctx.Err(), faults.check())
}

func (f *fake) Create(ctx context.Context, spec providers.Spec, report event.Reporter) (err error) {
	faults, err := f.machine.faults()
	if err != nil {
		return err
	}
	spec = spec.WithDefaults()
	if err := cmp.Or(ctx.Err(), spec.Validate(), f.refuse(spec), faults.check()); err != nil {
		return err
	}
	spec.KubernetesVersion = cmp.Or(spec.KubernetesVersion, f.KubernetesVersion)
	engine, err := f.Engine(ctx, spec)
	if err != nil {
		return err
	}
	r := record{Spec: spec, State: providers.StateCreating, Host: engine.Host}
	if err := f.machine.claim(r); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.machine.remove(spec.Name))
		}
	}()
	for i, name := range []string{"Preparing nodes", "Starting the control plane", "Waiting for the API server"} {
		step := func(*event.Step) error { return faults.step(ctx, i+1) }
		if err := report.Do(name, step); err != nil {
			return err
		}
	}
	if r.CA, err = newCA(spec.Name); err != nil {
		return err
	}
	if spec.From != nil {
		if err := f.restore(spec); err != nil {
			return err
		}
	}
	r.State = providers.StateRunning
	return errors.Join(f.machine.assemble(spec), f.machine.save(r))
}

// Validate implements [providers.Validator].
func (f *fake) Validate(spec providers.Spec) error { return f.refuse(spec) }

func (f *fake) refuse(spec providers.Spec) error {
	if f.Refuse == nil {
		return nil
	}
	return f.Refuse(spec)
}

// Alone implements [providers.Comparable].
func (f *fake) Alone(_ context.Context, spec providers.Spec, dir string) (providers.Alone, error) {
	if f.FakeOptions.Alone == nil {
		return providers.Alone{}, providers.NoProgram(f.Name(), "https://fake.invalid", os.ErrNotExist)
	}
	return f.FakeOptions.Alone(spec, dir), nil
}

func (f *fake) Delete(ctx context.Context, ref providers.Ref) error {
	if _, err := f.open(ctx, "delete", ref); err != nil {
		return err
	}
	return f.machine.remove(ref.Name)
}

func (f *fake) List(ctx context.Context) ([]providers.Cluster, error) {
	e, err := f.machine.engines()
	if err != nil {
		return nil, err
	}
	return f.ListOn(ctx, e.Current)
}

// cluster is a record as List shows it.
func (f *fake) cluster(r record) providers.Cluster {
	state, reason := f.machine.state(r)
	c := providers.Cluster{
		Parts: f.machine.parts(r.Spec.Name), Nodes: nodeNames(r.Spec), Name: r.Spec.Name, Provider: f.Name(), State: state, Reason: reason,
		ID: r.id(), KubernetesVersion: r.Spec.KubernetesVersion, Mark: r.Spec.Mark, Bare: r.bare,
	}
	if r.Unread {
		c.Mark, c.Unread, c.Reason = "", true, cmp.Or(reason, "its record is damaged")
	}
	return c
}

func (f *fake) Kubeconfig(ctx context.Context, ref providers.Ref) ([]byte, error) {
	r, err := f.open(ctx, "kubeconfig", ref)
	if err != nil {
		return nil, err
	}
	if r.CA == nil {
		return nil, errors.New("the cluster has no kubeconfig yet: it is incomplete")
	}
	return newKubeconfig(f.Entries(ref.Name).Context, r.CA), nil
}

func (f *fake) Entries(name string) providers.Entries {
	known := strings.ReplaceAll(f.Context, "%s", name)
	return providers.Entries{Cluster: known, User: known, Context: known}
}

// open begins a call on one cluster, which must be ref's.
func (f *fake) open(ctx context.Context, call string, ref providers.Ref) (record, error) {
	if err := f.machine.begin(ctx, call); err != nil {
		return record{}, err
	}
	engine := ref.Engine
	if engine.IsZero() {
		engine, _ = f.Engine(ctx, providers.Spec{}) // begin has reported its error
	}
	if err := f.CheckEngine(ctx, engine); err != nil {
		return record{}, err
	}
	r, err := f.machine.load(ref.Name)
	if err == nil && r.Host != engine.Host {
		err = fault.Errorf(fault.ErrNotFound, "cluster %q does not exist", ref.Name)
	}
	if err == nil {
		err = ref.Check(f.cluster(r))
	}
	return r, err
}

// state returns the state of the cluster and, if it is degraded, the reason.
func (m Machine) state(r record) (providers.State, string) {
	reason, err := os.ReadFile(m.path(r.Spec.Name, "broken"))
	if err != nil || r.State != providers.StateRunning {
		return r.State, ""
	}
	return providers.StateDegraded, cmp.Or(strings.TrimSpace(string(reason)), "broken")
}

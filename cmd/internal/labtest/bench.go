// Package labtest joins the use cases on a fake flavor and fake addon tools, for tests.
package labtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusters"
	"github.com/clusterlab-dev/lab/cmd/internal/inventory"
	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/snapshots"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// Bench is the use cases on one flavor, "fake", and what a test may look at beside them.
type Bench struct {
	*inventory.Inventory
	*clusters.Clusters
	*clusters.Expiry
	*clusters.Runs
	Machine providertest.Machine // has the clusters of the flavor
	Home    string               // has all files
	Fake    addontest.Fake       // only with WithAddons
}

// New returns a bench. wrap, which may be nil, wraps the flavor.
func New(t *testing.T, wrap func(providers.Provider) providers.Provider) Bench {
	t.Helper()
	home := t.TempDir()
	machine := providertest.Machine(filepath.Join(home, "machine"))
	p := providertest.NewFake(machine, providertest.FakeOptions{Traits: providers.Traits{RunsPods: true}})
	if wrap != nil {
		p = wrap(p)
	}
	set, err := providers.NewSet(p)
	if err != nil {
		t.Fatal(err)
	}
	i := &inventory.Inventory{Set: set, State: state.Open(filepath.Join(home, "state")), Probe: &Prober{}, Now: time.Now}
	c := &clusters.Clusters{
		Inventory: i, Addons: &clusteraddons.Addons{Inventory: i, ConfigDir: filepath.Join(home, "config")},
		Kubeconfig: kubeconfig.Files{Paths: []string{filepath.Join(home, "kubeconfig")}},
		Snapshots:  snapshots.Open(filepath.Join(home, "state")),
	}
	return Bench{Inventory: i, Clusters: c, Expiry: &clusters.Expiry{Clusters: c}, Runs: &clusters.Runs{Clusters: c}, Machine: machine, Home: home}
}

// WithAddons returns a bench with fakes that install addons, whose clusters have the given traits.
func WithAddons(t *testing.T, traits providers.Traits) Bench {
	t.Helper()
	b := New(t, func(p providers.Provider) providers.Provider {
		return withTraits{p, p.(providers.StartStopper), p.(providers.Snapshotter), traits}
	})
	b.Fake = addontest.NewFake(filepath.Join(b.Home, "addons"))
	b.Addons.Tools = clusteraddons.Tools{
		Source:    func(bool, []byte) addons.Source { return addontest.Source{} },
		Installer: b.Fake, Checker: b.Fake,
	}
	return b
}

type withTraits struct {
	providers.Provider
	providers.StartStopper
	providers.Snapshotter
	traits providers.Traits
}

func (w withTraits) Traits(providers.Spec) providers.Traits { return w.traits }

// OnNodes returns the traits of a cluster that runs pods and whose published ports end at a node.
func OnNodes() providers.Traits {
	return providers.Traits{RunsPods: true, HostPorts: providers.HostPortsNode}
}

// Prober is the answers of an API server. The zero value is a cluster that is ready.
type Prober struct {
	Nodes  []probe.Node
	Lacks  error    // what is not ready
	Absent []string // what is not installed
	Err    error

	mu             sync.Mutex
	Waited, Looked probe.Want // the last arguments
}

// Wait implements [inventory.Prober].
func (p *Prober) Wait(_ context.Context, _ []byte, want probe.Want, _ func(string)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Waited = want
	return p.Err
}

// Look implements [inventory.Prober].
func (p *Prober) Look(_ context.Context, _ []byte, want probe.Want) (probe.Report, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Looked = want
	return probe.Report{Nodes: p.Nodes, Lacks: p.Lacks, Absent: p.Absent}, p.Err
}

// Request returns a request for a cluster with addons.
func Request(name string, addons ...string) clusters.UpRequest {
	return clusters.UpRequest{Spec: providers.Spec{Name: name}, Addons: clusteraddons.Request{Names: addons}}
}

// MustUp calls Up for a cluster with addons.
func (b Bench) MustUp(t *testing.T, name string, addons ...string) output.Cluster {
	t.Helper()
	c, err := b.Up(t.Context(), Request(name, addons...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Existing returns the clusters of the machine, including those that lab did not create.
func (b Bench) Existing(t *testing.T) []providers.Cluster {
	t.Helper()
	all, err := b.Set.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// WantNoRecord checks that lab has no record of a cluster.
func (b Bench) WantNoRecord(t *testing.T, name string) {
	t.Helper()
	if _, err := b.State.Get(name); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("the record of %q: %v, want none", name, err)
	}
}

// Define writes the definition of an addon into the user's directory.
func (b Bench) Define(t *testing.T, name, content string) {
	t.Helper()
	dir := filepath.Join(b.Addons.ConfigDir, "addons")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// States returns the states of the addons of a cluster.
func States(c output.Cluster) map[string]addons.State {
	m := map[string]addons.State{}
	for _, a := range c.Addons {
		m[a.Name] = a.State
	}
	return m
}

// WantIs checks the kind of an error.
func WantIs(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("error %v, want %v", err, kind)
	}
}

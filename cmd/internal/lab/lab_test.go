package lab_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/cmd/internal/kubeconfig"
	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/cmd/internal/probe"
	"github.com/clusterlab-dev/lab/cmd/internal/state"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// bench is a Lab on one fake flavor, "fake", and what a test may look at beside it.
type bench struct {
	*lab.Lab
	machine providertest.Machine
	home    string
}

// newBench returns a bench. wrap, which may be nil, stands between Lab and the flavor.
func newBench(t *testing.T, wrap func(providers.Provider) providers.Provider) bench {
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
	return bench{
		Lab: &lab.Lab{
			Set:        set,
			State:      state.Open(filepath.Join(home, "state")),
			Kubeconfig: kubeconfig.Files{Paths: []string{filepath.Join(home, "kubeconfig")}},
			Probe:      &prober{},
			Now:        time.Now,
		},
		machine: machine,
		home:    home,
	}
}

// prober is an API server's answers. The zero value is a cluster that is ready.
type prober struct {
	nodes  []probe.Node
	lacks  error    // what is not ready
	absent []string // what is not installed
	err    error

	mu     sync.Mutex
	want   probe.Want // what was waited for last
	looked probe.Want // and looked for
}

func (p *prober) Wait(_ context.Context, _ []byte, want probe.Want, _ func(string)) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.want = want
	return p.err
}

func (p *prober) Look(_ context.Context, _ []byte, want probe.Want) (probe.Report, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looked = want
	return probe.Report{Nodes: p.nodes, Lacks: p.lacks, Absent: p.absent}, p.err
}

func request(name string) lab.UpRequest { return lab.UpRequest{Spec: providers.Spec{Name: name}} }

func (b bench) up(t *testing.T, name string) lab.Cluster {
	t.Helper()
	c, err := b.Up(t.Context(), request(name), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// clusters returns those that the machine has, whoever made them.
func (b bench) clusters(t *testing.T) []providers.Cluster {
	t.Helper()
	all, err := b.Set.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// forgotten checks that lab remembers nothing of a cluster.
func (b bench) forgotten(t *testing.T, name string) {
	t.Helper()
	if _, err := b.State.Get(name); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("the record of %q: %v, want none", name, err)
	}
}

func wantIs(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("error %v, want %v", err, kind)
	}
}

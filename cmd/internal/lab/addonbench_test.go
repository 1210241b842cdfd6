package lab_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/cmd/internal/lab"
	"github.com/clusterlab-dev/lab/providers"
)

// addonBench is a bench with fakes that install addons.
type addonBench struct {
	bench
	fake addontest.Fake
}

func newAddonBench(t *testing.T, traits providers.Traits) addonBench {
	t.Helper()
	b := addonBench{bench: newBench(t, func(p providers.Provider) providers.Provider {
		return withTraits{p, p.(providers.StartStopper), traits}
	})}
	b.fake = addontest.NewFake(filepath.Join(b.home, "addons"))
	b.ConfigDir = filepath.Join(b.home, "config")
	b.Lab.Addons = lab.AddonTools{
		Source:    func(bool, []byte) addons.Source { return addontest.Source{} },
		Installer: b.fake, Checker: b.fake,
	}
	return b
}

type withTraits struct {
	providers.Provider
	providers.StartStopper
	traits providers.Traits
}

func (w withTraits) Traits(providers.Spec) providers.Traits { return w.traits }

// onNodes are the traits of a cluster whose published ports end at a node.
func onNodes() providers.Traits {
	return providers.Traits{RunsPods: true, HostPorts: providers.HostPortsNode}
}

func with(name string, addons ...string) lab.UpRequest {
	q := request(name)
	q.Addons.Names = addons
	return q
}

func (b addonBench) upWith(t *testing.T, name string, addons ...string) lab.Cluster {
	t.Helper()
	c, err := b.Up(t.Context(), with(name, addons...), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func states(c lab.Cluster) map[string]addons.State {
	m := map[string]addons.State{}
	for _, a := range c.Addons {
		m[a.Name] = a.State
	}
	return m
}

// own puts an addon of the user's into their directory.
func (b addonBench) own(t *testing.T, name, content string) {
	t.Helper()
	dir := filepath.Join(b.ConfigDir, "addons")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

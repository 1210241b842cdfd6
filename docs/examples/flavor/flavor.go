// Package flavor is an example of an adapter: the flavor paper, whose clusters exist on paper only. It
// shows what belongs to an adapter and how it is tested. A real adapter is a package below providers
// and calls its tool; here the fake of package providertest is the tool.
//
// docs/contributing.md explains each step.
package flavor

import (
	"cmp"
	"context"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/providertest"
)

// Name is the name of the flavor.
const Name = "paper"

// Flavor returns the flavor paper. main calls it.
func Flavor() providers.Flavor {
	var o Options
	return providers.Flavor{
		Name: Name,
		Keys: []providers.Key{
			{Path: "images.paper.node", Variable: "LAB_IMAGES_PAPER_NODE", Doc: "the image of the nodes", Text: &o.NodeImage},
			{Path: "paper.extraArgs", Variable: "LAB_PAPER_EXTRA_ARGS", Doc: "flags of paper create", List: &o.ExtraArgs},
		},
		New: func(s providers.Setup) providers.Provider {
			o.Dir = s.Dir
			return New(o)
		},
	}
}

// Options configure a [Provider].
type Options struct {
	NodeImage string   // for specs without one; "" means paper/node:v1.37.2
	ExtraArgs []string // flags of paper create
	Dir       string   // the directory of the clusters, created when it is needed
}

// Provider implements [providers.Provider]. Methods that need no translation are those of the tool.
type Provider struct {
	providers.Provider
	opts Options
}

// New returns a Provider. It touches nothing.
func New(opts Options) *Provider {
	opts.NodeImage = cmp.Or(opts.NodeImage, "paper/node:v1.37.2")
	tool := providertest.NewFake(providertest.Machine(opts.Dir), providertest.FakeOptions{Name: Name})
	return &Provider{Provider: tool, opts: opts}
}

// Describe returns the row of the flavor in lab flavors.
func (*Provider) Describe() providers.Description {
	return providers.Description{
		Summary:      "clusters on paper: an example for contributors",
		Nodes:        "sheets, 1 control plane and any number of workers",
		Runtime:      "none",
		Unprivileged: "yes",
		Homepage:     "https://example.org/paper",
		Tools:        []providers.Tool{{Name: "paper", VersionArgs: []string{"version"}}},
	}
}

// Traits returns what addons may rely on: no pods run.
func (*Provider) Traits(providers.Spec) providers.Traits { return providers.Traits{} }

// Validate implements [providers.Validator].
func (p *Provider) Validate(spec providers.Spec) error {
	_, err := configFor(spec, p.opts)
	return err
}

// Create implements [providers.Provider]. A real adapter passes the configuration to its tool.
func (p *Provider) Create(ctx context.Context, spec providers.Spec, report event.Reporter) error {
	if _, err := configFor(spec, p.opts); err != nil {
		return err
	}
	return p.Provider.Create(ctx, spec, report)
}

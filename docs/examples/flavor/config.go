package flavor

import (
	"cmp"
	"encoding/json"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// config is the native configuration of paper.
type config struct {
	Name    string            `json:"name"`
	Image   string            `json:"image"`
	Sheets  int               `json:"sheets"`
	Labels  map[string]string `json:"labels"` // the mark by which lab knows its own clusters
	Args    []string          `json:"args,omitempty"`
	Folders []providers.Mount `json:"folders,omitempty"`
}

// configFor translates spec. It is a pure function, so golden files show what it returns. It returns
// ErrInvalid for a spec that no flavor accepts, and ErrUnsupported for what paper cannot do.
func configFor(spec providers.Spec, opts Options) ([]byte, error) {
	spec = spec.WithDefaults()
	if err := spec.Validate(); err != nil {
		return nil, err
	}
	if spec.ControlPlanes > 1 {
		err := fault.Errorf(fault.ErrUnsupported, "a paper cluster has one control plane")
		return nil, fault.WithHint(err, "leave out --control-planes")
	}
	if len(spec.Ports) > 0 {
		err := fault.Errorf(fault.ErrUnsupported, "paper cannot publish ports")
		return nil, fault.WithHint(err, "leave out --port")
	}
	return json.MarshalIndent(config{
		Name:    spec.Name,
		Image:   cmp.Or(spec.NodeImage, opts.NodeImage),
		Sheets:  spec.ControlPlanes + spec.Workers,
		Labels:  map[string]string{"clusterlab.dev/mark": spec.Mark},
		Args:    opts.ExtraArgs,
		Folders: spec.Mounts,
	}, "", "  ")
}

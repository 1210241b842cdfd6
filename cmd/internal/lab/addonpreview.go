package lab

import (
	"context"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers"
)

// AddonChanges is the result of [Lab.PreviewAddons].
type AddonChanges struct {
	Meta
	Cluster string         `json:"cluster"`
	Items   []AddonChanged `json:"items"` // addons that would stay as they are have no changes
}

// AddonChanged is what would change of one addon.
type AddonChanged struct {
	Addon   string          `json:"addon"`
	Version string          `json:"version,omitempty"` // of the chart, as it would be, where the catalogue says one
	Changes []addons.Change `json:"changes"`
}

// PreviewAddons says what InstallAddons would change, and changes nothing.
func (l *Lab) PreviewAddons(ctx context.Context, name string, q AddonRequest) (AddonChanges, error) {
	list := AddonChanges{Meta: Meta{APIVersion, "AddonChanges"}, Cluster: name, Items: []AddonChanged{}}
	h, err := l.usableHandle(ctx, name)
	if err != nil {
		return list, err
	}
	plan, err := l.planAddons(h, q)
	if err != nil {
		return list, err
	}
	if err := lacks(h.record, plan); err != nil {
		return list, err
	}
	target, err := h.target(ctx)
	if err != nil {
		return list, err
	}
	releases, err := l.releases(ctx, target, plan, q, func(err error, addon string) error {
		return &providers.Error{Op: "preview " + addon + " on", Cluster: name, Err: err}
	})
	if err != nil {
		return list, err
	}
	for _, request := range plan {
		a := request.Addon
		changes, err := l.Addons.Installer.Preview(ctx, target, releases[a.Name])
		if err != nil {
			return list, &providers.Error{Op: "preview " + a.Name + " on", Cluster: name, Err: err}
		}
		list.Items = append(list.Items, AddonChanged{Addon: a.Name, Version: a.Chart.Version, Changes: changes})
	}
	return list, nil
}

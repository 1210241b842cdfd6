package machine

import (
	"context"
	"sync"

	"github.com/clusterlab-dev/lab/cmd/internal/output"
	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Flavor is a flavor on this machine.
type Flavor struct {
	Name   string `json:"name"`
	Usable bool   `json:"usable"`           // now
	Reason string `json:"reason,omitempty"` // why it is not usable
	Hint   string `json:"hint,omitempty"`   // the command that fixes it
	providers.Description
	Abilities Abilities `json:"abilities"`
}

// Abilities are the optional abilities of a flavor.
type Abilities struct {
	StopStart  bool `json:"stopStart"`
	LoadImages bool `json:"loadImages"`
	ExportLogs bool `json:"exportLogs"`
	Snapshots  bool `json:"snapshots"`
}

// FlavorList is the result of [Flavors].
type FlavorList struct {
	output.Meta
	Items []Flavor `json:"items"`
}

// Flavors compares the flavors of a set, in the order in which lab prefers them, and checks which are
// usable. It returns only the error of ctx.
func Flavors(ctx context.Context, set *providers.Set) (FlavorList, error) {
	all := set.All()
	list := FlavorList{Meta: output.NewMeta("FlavorList"), Items: make([]Flavor, len(all))}
	var wg sync.WaitGroup
	for i, p := range all {
		wg.Go(func() { list.Items[i] = flavor(p, p.Check(ctx, providers.Spec{})) })
	}
	wg.Wait()
	return list, ctx.Err()
}

func flavor(p providers.Provider, unusable error) Flavor {
	f := Flavor{Name: p.Name(), Usable: unusable == nil, Description: p.Describe()}
	if unusable != nil {
		f.Reason, f.Hint = unusable.Error(), fault.HintOf(unusable)
	}
	_, f.Abilities.StopStart = p.(providers.StartStopper)
	_, f.Abilities.LoadImages = p.(providers.ImageLoader)
	_, f.Abilities.ExportLogs = p.(providers.LogExporter)
	_, f.Abilities.Snapshots = p.(providers.Snapshotter)
	return f
}

package lab

import (
	"context"
	"sync"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// Flavor is a flavor as `lab flavors` shows it.
type Flavor struct {
	Name   string `json:"name"`
	Usable bool   `json:"usable"`           // on this machine, now
	Reason string `json:"reason,omitempty"` // why it is not
	Hint   string `json:"hint,omitempty"`   // what mends it
	providers.Description
	Abilities Abilities `json:"abilities"`
}

// Abilities are the optional things that a flavor can do.
type Abilities struct {
	StopStart  bool `json:"stopStart"`
	LoadImages bool `json:"loadImages"`
	ExportLogs bool `json:"exportLogs"`
}

// FlavorList is the result of [Lab.Flavors].
type FlavorList struct {
	Meta
	Items []Flavor `json:"items"`
}

// Flavors compares the flavors, in the order in which lab prefers them, and checks
// side by side which can be used. It returns ctx's error only.
func (l *Lab) Flavors(ctx context.Context) (FlavorList, error) {
	all := l.Set.All()
	list := FlavorList{Meta: Meta{APIVersion, "FlavorList"}, Items: make([]Flavor, len(all))}
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
	return f
}

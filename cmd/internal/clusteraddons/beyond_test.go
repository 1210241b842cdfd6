package clusteraddons_test

import (
	"slices"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/cmd/internal/clusteraddons"
)

// TestBeyond checks that a restored cluster gets only what its snapshot does not have: other addons, other
// values, and addons that never worked or whose removal began.
func TestBeyond(t *testing.T) {
	t.Parallel()
	request := func(name string, values addons.Values) addons.Request {
		return addons.Request{Addon: addons.Addon{Name: name}, Values: values}
	}
	plan := clusteraddons.Plan{Requests: addons.Requests{
		request("same", addons.Values{"a": map[string]any{"b": int64(1)}}), request("none", nil), request("changed", addons.Values{"a": "new"}),
		request("unfinished", nil), request("removing", nil), request("more", nil),
	}}
	has := addons.Requests{
		request("same", addons.Values{"a": map[string]any{"b": int64(1)}}), request("none", addons.Values{}), request("changed", addons.Values{"a": "old"}),
		request("unfinished", nil), request("removing", nil),
	}
	has[3].Unfinished, has[4].Removing = true, true
	if got := plan.Beyond(has).Requests.Names(); !slices.Equal(got, []string{"changed", "unfinished", "removing", "more"}) {
		t.Errorf("installs %q", got)
	}
	if len(plan.Requests) != 6 {
		t.Error("the plan itself changed")
	}
}

package addons_test

import (
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/providers"
)

// TestAsksWants: requirements of addons are added to those before.
func TestAsksWants(t *testing.T) {
	t.Parallel()
	before := providers.Wants{NoIngress: true, UnsyncedEtcd: true}
	want := providers.Wants{NoIngress: true, UnsyncedEtcd: true, ControlPlaneMetrics: true, NoMetricsServer: true}
	if got := (addons.Asks{ControlPlaneMetrics: true, NoMetricsServer: true}).Wants(before); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := (addons.Asks{}).Wants(before); got != before {
		t.Errorf("%+v, want %+v", got, before)
	}
}

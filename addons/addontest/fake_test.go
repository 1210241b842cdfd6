package addontest_test

import (
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
)

func TestFake(t *testing.T) {
	t.Parallel()
	addontest.Run(t, addontest.NewFake(t.TempDir()).Harness(addons.Cluster{Kubeconfig: []byte("one")}))
}

package charts_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"

	"github.com/clusterlab-dev/lab/addons"
	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/addons/charts"
)

// behindProxy is set where this program is run again, with a proxy in its environment,
// which Go reads once.
const behindProxy = "LAB_CHARTS_BEHIND_PROXY"

// TestProxy: a repository that only a proxy can reach is asked by way of it. The proxy
// answers itself, which it could not do over HTTPS; the code is the same.
func TestProxy(t *testing.T) {
	t.Parallel()
	if os.Getenv(behindProxy) != "" {
		c := addons.Chart{Repository: "http://repository.invalid/charts", Name: "shop", Version: version}
		want(t, charts.New(charts.Options{Dir: t.TempDir()}), c, "a chart")
		return
	}
	s := &addontest.Server{}
	s.Put("shop", version, archive("a chart"))
	proxy := httptest.NewServer(s)
	t.Cleanup(proxy.Close)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxy$")
	cmd.Env = append(os.Environ(), behindProxy+"=1", "HTTP_PROXY="+proxy.URL, "http_proxy="+proxy.URL, "NO_PROXY=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if s.Requests() != 2 {
		t.Errorf("the proxy received %d requests", s.Requests())
	}
}

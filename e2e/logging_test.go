//go:build e2e && unix

package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// TestLogging installs the addon logging with the values of the catalog. A line that a pod writes later is found by a
// query, and so are lines of pods that are older than the addon. After the removal nothing of the addon is left.
func TestLogging(t *testing.T) {
	takesLong(t)
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		p, name := newUser(t, bed), session.RandomName()
		t.Cleanup(func() {
			if t.Failed() {
				_ = p.lab(context.Background(), "down", name).Run()
			}
		})
		p.Must("up", name, "--flavor", f.name)
		install := []string{"addon", "install", "logging", "--name", name}
		if bed.logsTag != "" {
			chart, err := filepath.Abs("../addons/testdata/charts/logging")
			if err != nil {
				t.Fatal(err)
			}
			p.addAddon("logging", fmt.Sprintf("name: logging\nchart: {path: %q}\n", chart))
			p.Must("image", "load", "victoriametrics/victoria-logs:"+bed.logsTag, "victoriametrics/vlagent:"+bed.logsTag, "--name", name)
			install = append(install, "--set", "logging.server.image.tag="+bed.logsTag)
		}
		objects := "namespaces,clusterroles,clusterrolebindings"
		before := p.kubectl("get", objects, "--output=name")
		p.Must(install...) // ready means that lines of older pods were found
		p.kubectl("run", "greeter", "--image="+bed.hello, "--env=HELLO_LOG_FORMAT=text", "--env=HELLO_VERSION=needle", "--", "serve")
		session.Eventually(t, 2*time.Minute, func(context.Context) error {
			found := p.kubectl("get", "--raw", "/api/v1/namespaces/logging/services/victoria-logs:9428/proxy/select/logsql/query?query=needle&limit=1")
			if !strings.Contains(found, `"kubernetes.pod_name":"greeter"`) {
				return fmt.Errorf("the query found %q", found)
			}
			return nil
		})
		page := p.kubectl("get", "--raw", "/api/v1/namespaces/logging/services/victoria-logs:9428/proxy/select/vmui/")
		if !strings.Contains(page, "<html") {
			t.Errorf("the page is %q", page)
		}
		p.Must("addon", "remove", "logging", "--name", name)
		if after := p.kubectl("get", objects, "--output=name"); after != before {
			t.Errorf("the cluster has\n%s\nwant\n%s", after, before)
		}
		p.Must("down", name)
		p.checkNothing(name)
	})
}

//go:build e2e && unix

package e2e

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// TestMissingParts removes parts of a cluster, as another program may. All commands must report the missing part and
// the command that fixes it, that command must work, and nothing may be left in the end.
func TestMissingParts(t *testing.T) {
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		oneWillDo(t, f, "k3d")
		p, name, port := newUser(t, bed), session.RandomName(), freePort(t)
		up := []string{"up", name, "--flavor", f.name, "--workers", "1"}
		if f.balancer != nil { // minikube publishes no port of a cluster with workers
			up = append(up, "--port", strconv.Itoa(port)+":"+strconv.Itoa(f.port))
		}
		p.Must(up...)
		t.Cleanup(func() {
			if t.Failed() {
				_ = p.lab(context.Background(), "down", name).Run()
			}
		})

		removeNetwork := func() bool { // unless other clusters use it
			if f.network(name) == "kind" && othersUse(t, "kind", name) {
				return false
			}
			docker(t, "network", "rm", f.network(name))
			return true
		}
		p.Must("stop", name)
		if removeNetwork() {
			p.checkReportsMissing(name, "network "+f.network(name), "lab start "+name)
		}
		p.Must("start", name)
		p.checkReportsRunning(name)
		if f.balancer != nil {
			docker(t, "rm", "--force", "--volumes", f.balancer(name))
			p.checkReportsMissing(name, "load balancer "+f.balancer(name), "lab start "+name)
			p.Must("up", name)
			p.checkReportsRunning(name)
			p.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
			p.Must("image", "load", bed.helloNew, "--name", name)
			p.apply(f.web("hello", bed.helloNew))
			session.Eventually(t, time.Minute, func(ctx context.Context) error { return answers(ctx, port, "hello", "/", "hello v2 from hello") })
		}
		if !testing.Short() {
			docker(t, "rm", "--force", "--volumes", f.worker(name))
			p.checkReportsMissing(name, "node "+f.worker(name), "lab up "+name+" --recreate")
			p.checkFails("start", name)
			p.checkFails("up", name)
			p.Must("stop", name)
			removeNetwork()
			p.Must("up", name, "--recreate")
			p.checkReportsRunning(name)
		}
		docker(t, "rm", "--force", "--volumes", f.node(name))
		p.checkReportsMissing(name, "node "+f.node(name), "lab up "+name+" --recreate")
		p.checkFails("start", name)
		p.checkFails("up", name)
		p.Must("down", name)
		p.checkNothing(name)
	})
}

// checkReportsMissing checks that status, list and diff report that a part of a cluster is gone, and the command that
// fixes it.
func (p *user) checkReportsMissing(name, part, fix string) {
	p.T.Helper()
	began := time.Now()
	for _, args := range [][]string{{"status", name}, {"list"}} {
		got := p.Try(args...)
		if said := got.Stdout + got.Stderr; !strings.Contains(said, part+" is gone") || !strings.Contains(said, fix) || got.Code != map[string]int{"status": 1}[args[0]] {
			p.T.Errorf("lab %s: exit code %d, want %q is gone and %q in\n%s", strings.Join(args, " "), got.Code, part, fix, said)
		}
	}
	if got := p.Try("diff", name); got.Code != 8 || !strings.Contains(got.Stdout, fix) {
		p.T.Errorf("lab diff: exit code %d\n%s%s", got.Code, got.Stdout, got.Stderr)
	}
	if state := p.List()[name].State; state != "degraded" {
		p.T.Errorf("lab list says %s", state)
	}
	if took := time.Since(began); took > 20*time.Second {
		p.T.Errorf("status, list and diff took %s", took)
	}
}

// checkReportsRunning checks that status, list and diff report a cluster without differences.
func (p *user) checkReportsRunning(name string) {
	p.T.Helper()
	p.Must("status", name)
	p.Must("diff", name)
	if state := p.List()[name].State; state != "running" {
		p.T.Errorf("lab list says %s", state)
	}
	p.kubectl("get", "nodes")
}

// checkFails checks that a command fails within seconds with the hint to recreate the cluster.
func (p *user) checkFails(args ...string) {
	p.T.Helper()
	began := time.Now()
	got := p.Try(args...)
	if got.Code != 1 || !strings.Contains(got.Stderr, "--recreate") || time.Since(began) > 30*time.Second {
		p.T.Errorf("lab %s: exit code %d after %s\n%s", strings.Join(args, " "), got.Code, time.Since(began), got.Stderr)
	}
}

// othersUse reports whether containers of other clusters are in a network.
func othersUse(t *testing.T, network, name string) bool {
	t.Helper()
	var found []struct {
		NetworkSettings struct{ Networks map[string]any }
		Name            string
	}
	ids := strings.Fields(docker(t, "ps", "--all", "--quiet"))
	if err := json.Unmarshal([]byte(docker(t, append([]string{"inspect"}, ids...)...)), &found); err != nil {
		t.Fatal(err)
	}
	for _, c := range found {
		if _, in := c.NetworkSettings.Networks[network]; in && !strings.Contains(c.Name, name) {
			return true
		}
	}
	return false
}

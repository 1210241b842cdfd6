//go:build e2e && unix

package e2e

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestGone removes what a cluster is made of, as another program may, and shows that all commands say so, that each
// names the command that helps, and that nothing is left in the end.
func TestGone(t *testing.T) {
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		oneWillDo(t, f, "k3d")
		p, name, port := newPerson(t, bed), randomName(), freePort(t)
		up := []string{"up", name, "--flavor", f.name, "--workers", "1"}
		if f.balancer != nil { // minikube would publish a port on each node
			up = append(up, "--port", strconv.Itoa(port)+":"+strconv.Itoa(f.port))
		}
		p.must(up...)
		t.Cleanup(func() {
			if t.Failed() {
				_ = p.lab(context.Background(), "down", name).Run()
			}
		})

		removeNetwork := func() bool { // the network of others stays
			if f.network(name) == "kind" && othersUse(t, "kind", name) {
				return false
			}
			docker(t, "network", "rm", f.network(name))
			return true
		}
		p.must("stop", name)
		if removeNetwork() {
			p.wantGone(name, "network "+f.network(name), "lab start "+name)
		}
		p.must("start", name)
		p.wantWhole(name)
		if f.balancer != nil {
			docker(t, "rm", "--force", "--volumes", f.balancer(name))
			p.wantGone(name, "load balancer "+f.balancer(name), "lab start "+name)
			p.must("up", name)
			p.wantWhole(name)
			p.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
			p.must("image", "load", bed.helloNew, "--name", name)
			p.apply(f.web("hello", bed.helloNew))
			c := &cluster{bed: bed}
			c.eventually(t, time.Minute, func(ctx context.Context) error { return answers(ctx, port, "hello", "/", "hello v2 from hello") })
		}
		if !testing.Short() {
			docker(t, "rm", "--force", "--volumes", f.worker(name))
			p.wantGone(name, "node "+f.worker(name), "lab up "+name+" --recreate")
			p.wantFailure("start", name)
			p.wantFailure("up", name)
			p.must("stop", name)
			removeNetwork()
			p.must("up", name, "--recreate")
			p.wantWhole(name)
		}
		docker(t, "rm", "--force", "--volumes", f.node(name))
		p.wantGone(name, "node "+f.node(name), "lab up "+name+" --recreate")
		p.wantFailure("start", name)
		p.wantFailure("up", name)
		p.must("down", name)
		p.checkNothing(name)
	})
}

// wantGone checks that status, list and diff say that a part of a cluster is gone, and what helps.
func (p *person) wantGone(name, part, fix string) {
	p.t.Helper()
	began := time.Now()
	for _, args := range [][]string{{"status", name}, {"list"}} {
		stdout, stderr, code := p.run(args...)
		if said := stdout + stderr; !strings.Contains(said, part+" is gone") || !strings.Contains(said, fix) || code != map[string]int{"status": 1}[args[0]] {
			p.t.Errorf("lab %s: exit code %d, want word of %s, and %q\n%s", strings.Join(args, " "), code, part, fix, said)
		}
	}
	if stdout, stderr, code := p.run("diff", name); code != 8 || !strings.Contains(stdout, strings.Replace(fix, " "+name, "", 1)) {
		p.t.Errorf("lab diff: exit code %d\n%s%s", code, stdout, stderr)
	}
	if state := p.states()[name]; state != "degraded" {
		p.t.Errorf("lab list says %s", state)
	}
	if took := time.Since(began); took > 20*time.Second {
		p.t.Errorf("that took %s", took)
	}
}

// wantWhole checks that status, list and diff agree that a cluster is as it should be.
func (p *person) wantWhole(name string) {
	p.t.Helper()
	p.must("status", name)
	p.must("diff", name)
	if state := p.states()[name]; state != "running" {
		p.t.Errorf("lab list says %s", state)
	}
	p.kubectl("get", "nodes")
}

// wantFailure checks that a command fails within seconds, and says that the cluster must be recreated.
func (p *person) wantFailure(args ...string) {
	p.t.Helper()
	began := time.Now()
	_, stderr, code := p.run(args...)
	if code != 1 || !strings.Contains(stderr, "--recreate") || time.Since(began) > 30*time.Second {
		p.t.Errorf("lab %s: exit code %d after %s\n%s", strings.Join(args, " "), code, time.Since(began), stderr)
	}
}

// othersUse tells whether containers of others than a cluster are in a network.
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

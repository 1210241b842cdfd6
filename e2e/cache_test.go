//go:build e2e && unix

package e2e

import (
	"context"
	"net"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// TestImageCache checks that a second cluster gets its images from the image cache alone, and that the cache
// neither prevents the removal of a cluster nor, when it hangs, the creation of one. The nodes themselves cannot reach
// the registry.
func TestImageCache(t *testing.T) {
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		oneWillDo(t, f, "kind")
		p, name := newUser(t, bed), session.RandomName()
		requireNoLeak(t, name)
		registry := name + "-registry"
		p.env = append(p.env, "LAB_REGISTRIES=lab.invalid=http://"+registry+":5000")
		var cache string
		t.Cleanup(func() {
			_ = p.lab(context.Background(), "cache", "stop").Run()
			if left := leaks(t, cache); cache != "" && len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
		p.Must("cache", "start")
		t.Cleanup(func() { _ = p.lab(context.Background(), "down", name).Run() })
		cache = cacheOf(t, p)
		upstream(t, bed, registry, cache)

		pushed := requestsTo(t, registry)
		runFromCache(t, p, f, name)
		first := requestsTo(t, registry)
		if first == pushed {
			t.Fatalf("the cache did not ask the registry")
		}
		if status := p.Must("cache", "status"); !strings.Contains(status, f.network(name)) {
			t.Errorf("the status does not name the network %s:\n%s", f.network(name), status)
		}
		p.Must("down", name)
		runFromCache(t, p, f, name)
		if second := requestsTo(t, registry); second != first {
			t.Errorf("the second cluster caused %d requests to the registry, want 0", second-first)
		}
		p.Must("stop", name)
		p.Must("start", name)
		if status := p.Must("cache", "status"); !strings.Contains(status, f.network(name)) {
			t.Errorf("after stop and start, the status does not name the network %s:\n%s", f.network(name), status)
		}
		p.Must("down", name)

		docker(t, "pause", cache)
		t.Cleanup(func() { docker(t, "unpause", cache) })
		if r := p.Try("up", name, "--flavor", f.name, "--wait", "api"); r.Code != 0 || !strings.Contains(r.Stderr, "not using the image cache") {
			t.Errorf("with a cache that hangs: code %d\n%s", r.Code, r.Stderr)
		}
		p.Must("down", name)
	})
}

// cacheOf returns the container of the user's cache.
func cacheOf(t *testing.T, p *user) string {
	t.Helper()
	port := regexp.MustCompile(`127\.0\.0\.1:(\d+)`).FindStringSubmatch(p.Must("cache", "status"))
	if port == nil {
		t.Fatal("the cache has no address")
	}
	return strings.TrimSpace(docker(t, "ps", "--filter=publish="+port[1], "--format={{.Names}}"))
}

// upstream starts a registry with an image, which only the cache can reach by its name.
func upstream(t *testing.T, bed *bed, name, cache string) {
	t.Helper()
	at := net.JoinHostPort("127.0.0.1", strconv.Itoa(freePort(t)))
	docker(t, "run", "--detach", "--name", name, "--network", cache, "--publish", at+":5000", "registry:3")
	t.Cleanup(func() { docker(t, "rm", "--force", "--volumes", name) })
	session.Eventually(t, 30*time.Second, func(ctx context.Context) error { return get(ctx, "http://"+at+"/v2/") })
	docker(t, "tag", bed.helloNew, at+"/shop/hello:v2")
	t.Cleanup(func() { docker(t, "rmi", at+"/shop/hello:v2") })
	docker(t, "push", at+"/shop/hello:v2")
}

// requestsTo returns how many requests for the image a registry has answered.
func requestsTo(t *testing.T, registry string) int {
	t.Helper()
	out, err := exec.Command("docker", "logs", registry).CombinedOutput() // it writes to both streams
	if err != nil {
		t.Fatalf("docker logs: %v\n%s", err, out)
	}
	return len(regexp.MustCompile(`(GET|HEAD) /v2/shop/hello/`).FindAll(out, -1))
}

// runFromCache creates a cluster, and runs a pod of the image in the registry.
func runFromCache(t *testing.T, p *user, f flavor, name string) {
	t.Helper()
	p.Must("up", name, "--flavor", f.name)
	p.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
	p.kubectl("run", "hello", "--image=lab.invalid/shop/hello:v2")
	p.kubectl("wait", "--for=condition=Ready", "pod/hello", "--timeout=90s")
}

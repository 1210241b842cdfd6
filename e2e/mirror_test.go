//go:build e2e && unix

package e2e

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// TestMirror checks that nodes pull images from the mirror in the user's configuration instead of a registry that
// cannot be reached.
func TestMirror(t *testing.T) {
	takesLong(t)
	eachFlavor(t, func(t *testing.T, bed *bed, f flavor) {
		p, name, port := newUser(t, bed), session.RandomName(), freePort(t)
		registry := name + "-registry"
		p.env = append(p.env, "LAB_REGISTRIES=lab.invalid=http://"+registry+":5000")
		p.Must("up", name, "--flavor", f.name)
		t.Cleanup(func() { _ = p.lab(context.Background(), "down", name).Run() })

		docker(t, "run", "--detach", "--name", registry, "--network", f.network(name),
			"--publish", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))+":5000", "registry:3")
		t.Cleanup(func() { docker(t, "rm", "--force", "--volumes", registry) }) // before the network is deleted
		at := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		session.Eventually(t, 30*time.Second, func(ctx context.Context) error { return get(ctx, "http://"+at+"/v2/") })
		docker(t, "tag", bed.helloNew, at+"/shop/hello:v2")
		t.Cleanup(func() { docker(t, "rmi", at+"/shop/hello:v2") })
		docker(t, "push", at+"/shop/hello:v2")

		p.kubectl("wait", "--for=create", "serviceaccount/default", "--timeout=60s")
		p.kubectl("run", "hello", "--image=lab.invalid/shop/hello:v2")
		p.kubectl("wait", "--for=condition=Ready", "pod/hello", "--timeout=90s")
	})
}

func get(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

//go:build e2e && unix

package kwok

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
	"github.com/clusterlab-dev/lab/providers"
)

// TestLifecycle creates, uses, stops, starts and deletes a cluster.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up("--workers", "2")
	client := p.client(name)
	deploy(t, client, "web", 3)
	available(t, client, "web", time.Minute)
	p.checkCurrent("kwok-" + name)
	nodes, err := client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil || len(nodes.Items) != 3 {
		t.Errorf("%d nodes, want 3 (%v)", len(nodes.Items), err)
	}
	if again := p.Try("up", name); again.Code != 0 || p.client(name) == nil {
		t.Errorf("a second up: %+v", again)
	}

	p.Must("stop", name)
	if got := p.List()[name].State; got != providers.StateStopped {
		t.Errorf("after stop the cluster is %s", got)
	}
	if running := p.processes(); len(running) > 0 {
		t.Errorf("after stop these processes run: %v", running)
	}
	p.Must("start", name)
	client = p.client(name)
	available(t, client, "web", time.Minute)
	p.Must("status", name)

	p.Must("down", name)
	if left := p.List(); len(left) > 0 {
		t.Errorf("after down lab list shows %v", left)
	}
	p.fails(3, []string{"there is no cluster", "lab up " + name}, "down", name)
}

// checkCurrent checks the current context of the user's kubeconfig, and that its cluster answers.
func (p *user) checkCurrent(want string) {
	p.T.Helper()
	loaded, err := clientcmd.LoadFromFile(p.kubeconfig)
	if err != nil {
		p.T.Fatal(err)
	}
	if loaded.CurrentContext != want {
		p.T.Errorf("the current context is %q, want %q", loaded.CurrentContext, want)
	}
	config, err := clientcmd.NewDefaultClientConfig(*loaded, nil).ClientConfig()
	if err != nil {
		p.T.Fatal(err)
	}
	if _, err := newClient(p.T, config).Discovery().ServerVersion(); err != nil {
		p.T.Errorf("the cluster of the current context does not answer: %v", err)
	}
}

// TestFirstUsable checks that lab chooses a flavor: without other tools, only kwok is available.
func TestFirstUsable(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := session.RandomName()
	p.Must("up", name)
	if got := p.List()[name]; got.Flavor != "kwok" || got.State != providers.StateRunning {
		t.Errorf("up created a %s cluster that is %s", got.Flavor, got.State)
	}
	p.Must("down", name)
}

// TestNoKubeconfigBefore checks that down removes a kubeconfig that lab created, and its directory.
func TestNoKubeconfigBefore(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	if err := os.Remove(p.kubeconfig); err != nil {
		t.Fatal(err)
	}
	name := p.up()
	p.checkCurrent("kwok-" + name)
	if info, err := os.Stat(p.kubeconfig); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the new kubeconfig: %v, %v", info, err)
	}
	p.Must("down", name)
	if _, err := os.Stat(p.kubeconfig); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the kubeconfig that lab created still exists: %v", err)
	}
	if err := os.WriteFile(p.kubeconfig, []byte(userKubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestPortTaken checks that a cluster starts when another program uses its port, and that the kubeconfig gets the new
// port.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	deploy(t, p.client(name), "web", 1)
	port := p.status(name).APIPort
	p.Must("stop", name)
	listen(t, port)
	p.Must("start", name)
	if got := p.status(name).APIPort; got == port || got == 0 {
		t.Errorf("the port is %d, before %d", got, port)
	}
	p.checkCurrent("kwok-" + name)
	available(t, p.client(name), "web", time.Minute)
	if seen := strings.Count(read(t, p.kubeconfig), "127.0.0.1:"); seen != 2 { // the other is the user's own
		t.Errorf("%d addresses in the kubeconfig", seen)
	}
	p.Must("down", name)
}

// listen uses a port until the end of the test, and accepts no connections.
func listen(t *testing.T, port int) {
	t.Helper()
	var l net.Listener
	session.Eventually(t, 10*time.Second, func(context.Context) (err error) {
		l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		return err
	})
	t.Cleanup(func() { _ = l.Close() })
}

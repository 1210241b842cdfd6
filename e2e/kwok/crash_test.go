//go:build e2e && unix

package kwok

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterlab-dev/lab/e2e/internal/session"
	"github.com/clusterlab-dev/lab/providers"
)

// TestCrash kills the engine while somebody writes, several times over. Whatever was
// acknowledged must be there when the cluster has been started again.
func TestCrash(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	deploy(t, p.client(name), "web", 3)
	available(t, p.client(name), "web", time.Minute)
	acknowledged := map[string]bool{}
	for round := range fewer(4, 2) {
		before := len(acknowledged)
		p.killWhileWriting(name, round, acknowledged)
		t.Logf("round %d: %d writes were acknowledged", round, len(acknowledged)-before)
		p.checkCrashed(name)
		p.Must("start", name)
		client := p.client(name)
		checkThere(t, client, acknowledged)
		available(t, client, "web", time.Minute)
	}
	p.Must("down", name)
}

// killWhileWriting adds the names of all objects whose creation was acknowledged. It
// kills at another moment each time: from the very first write on.
func (p *user) killWhileWriting(name string, round int, acknowledged map[string]bool) {
	p.T.Helper()
	client := p.client(name)
	kill := time.AfterFunc(time.Duration(rand.IntN(400))*time.Millisecond, func() { p.kill(name) })
	defer kill.Stop()
	for i := 0; ; i++ {
		object := fmt.Sprintf("round-%d-%d", round, i)
		config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: object}, Data: map[string]string{"is": object}}
		_, err := client.CoreV1().ConfigMaps("default").Create(p.T.Context(), config, metav1.CreateOptions{})
		if err != nil {
			return
		}
		acknowledged[object] = true
		if i > 100_000 {
			p.T.Fatal("its engine still lives")
		}
	}
}

// checkCrashed checks that lab says what happened, and what to do.
func (p *user) checkCrashed(name string) {
	p.T.Helper()
	got := p.List()[name]
	if got.State != providers.StateDegraded || !strings.Contains(got.Reason, "lab start "+name) {
		p.T.Errorf("after a crash it is %s: %s", got.State, got.Reason)
	}
	p.fails(1, []string{"its engine died", "lab start " + name}, "status", name)
}

func checkThere(t *testing.T, client kubernetes.Interface, names map[string]bool) {
	t.Helper()
	list, err := client.CoreV1().ConfigMaps("default").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, c := range list.Items {
		there[c.Name] = c.Data["is"] == c.Name
	}
	for name := range names {
		if !there[name] {
			t.Errorf("%s was acknowledged, and is lost", name)
		}
	}
}

// TestCrashHeals shows that up, too, brings back a cluster whose engine died, and
// that down removes one.
func TestCrashHeals(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up()
	client := p.client(name)
	deploy(t, client, "web", 1)
	p.kill(name)
	p.waitForDeath(name)
	p.Must("up", name)
	available(t, p.client(name), "web", time.Minute)
	p.kill(name)
	p.waitForDeath(name)
	p.Must("stop", name) // nothing to stop, but it is what was asked for
	if got := p.List()[name].State; got != providers.StateStopped {
		t.Errorf("after stop it is %s", got)
	}
	p.Must("start", name)
	p.kill(name)
	p.Must("down", name)
}

func (p *user) waitForDeath(name string) {
	p.T.Helper()
	session.Eventually(p.T, 10*time.Second, func(context.Context) error {
		if left := len(p.processes()); left > 0 {
			return fmt.Errorf("%d processes of %s", left, name)
		}
		return nil
	})
}

// TestNodeDeleted deletes a Node object. Every command says which and what helps, at once, and
// that brings it back.
func TestNodeDeleted(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	name := p.up("--workers", "1")
	node := name + "-worker"
	if err := p.client(name).CoreV1().Nodes().Delete(t.Context(), node, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	words := []string{"node " + node + " is missing: its Node object was deleted", "lab stop " + name + ", then lab start " + name}
	began := time.Now()
	p.fails(1, words, "up", name)
	p.fails(1, words, "status", name)
	if seen := p.List()[name]; seen.State != providers.StateDegraded {
		t.Errorf("lab list says %s", seen.State)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %s to say so", took)
	}
	p.Must("stop", name)
	p.Must("start", name)
	p.Must("status", name)
	p.Must("down", name)
}

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

// TestCrash kills the engine during writes, several times. After a restart of the cluster, all acknowledged objects
// must exist.
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

// killWhileWriting creates objects until the engine is killed at a random time, and adds the names of the
// acknowledged ones.
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
			p.T.Fatal("the engine still runs")
		}
	}
}

// checkCrashed checks that lab reports the crash and the command that fixes it.
func (p *user) checkCrashed(name string) {
	p.T.Helper()
	got := p.List()[name]
	if got.State != providers.StateDegraded || !strings.Contains(got.Reason, "lab start "+name) {
		p.T.Errorf("after a crash the cluster is %s: %s", got.State, got.Reason)
	}
	p.fails(1, []string{"its lab-engine died", "lab start " + name}, "status", name)
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
			t.Errorf("%s was acknowledged, but is missing", name)
		}
	}
}

// TestCrashRecovery checks that up also starts a cluster whose engine died, and that stop and down work on one.
func TestCrashRecovery(t *testing.T) {
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
	p.Must("stop", name) // the engine has ended already
	if got := p.List()[name].State; got != providers.StateStopped {
		t.Errorf("after stop the cluster is %s", got)
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

// TestNodeDeleted deletes a Node object. Every command must report the node at once with the commands that fix it,
// and these must work.
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
		t.Errorf("the errors took %s", took)
	}
	p.Must("stop", name)
	p.Must("start", name)
	p.Must("status", name)
	p.Must("down", name)
}

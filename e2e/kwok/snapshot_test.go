//go:build e2e && unix

package kwok

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/addons/addontest"
	"github.com/clusterlab-dev/lab/e2e/internal/session"
)

// TestSnapshot saves a cluster with addons and data, and restores it several times beside it.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	s := newShelf(t, p)
	s.put("shop", "1.0.0", true, map[string]string{
		"crds/d.yaml":      addontest.Definition("shop.example.org", "Shop", 1000, "a"),
		"templates/a.yaml": web("shop", ""),
	}, "secrets: [{name: login, fixed: {user: admin}, generated: [password]}]")
	source := p.up("--workers", "2", "--addon", "shop")
	deploy(t, p.client(source), "mine", 3)
	available(t, p.client(source), "mine", time.Minute)
	p.kubectl(source, "create", "configmap", "data", "--from-literal=a=b")
	got := p.Try("snapshot", "save", "base", "--cluster", source)
	if got.Code != 0 || !strings.Contains(got.Stderr, "shop: Secret shop/login") {
		t.Fatalf("exit code %d\n%s", got.Code, got.Stderr)
	}
	p.checkPrivate("state", "snapshots")
	p.Must("status", source)

	// Restored clusters need no charts, even if nothing is cached.
	if err := os.RemoveAll(filepath.Join(p.labHome, "cache")); err != nil {
		t.Fatal(err)
	}
	requests := s.Requests()
	copies := []string{session.RandomName(), session.RandomName()}
	p.Must("up", copies[0], "--from", "base")
	p.Must("snapshot", "restore", "base", copies[1])
	if s.Requests() != requests {
		t.Error("a restore fetched charts")
	}
	password := p.kubectl(source, "get", "secret", "login", "--namespace", "shop", "-o", "jsonpath={.data.password}")
	seen := map[string]bool{}
	for _, name := range append(copies, source) {
		available(t, p.client(name), "mine", time.Minute)
		if got := p.addons(name)["shop"]; got.State != "ready" {
			t.Errorf("%s: %+v", name, got)
		}
		if got := p.kubectl(name, "get", "secret", "login", "--namespace", "shop", "-o", "jsonpath={.data.password}"); got != password {
			t.Errorf("%s has another password", name)
		}
		for _, file := range []string{"ca.crt", "sa.key", "admin.key"} {
			key := read(t, filepath.Join(p.directory(name), "pki", file))
			if seen[key] {
				t.Errorf("%s shares %s with another cluster", name, file)
			}
			seen[key] = true
		}
	}
	p.Must("up", copies[1], "--from", "base") // changes nothing
	p.Must("stop", copies[1])
	p.Must("start", copies[1])
	p.Must("addon", "remove", "shop", "--name", copies[0])
	p.fails(4, []string{"there is a cluster", "lab down"}, "snapshot", "restore", "base")
	p.fails(2, []string{"2 workers, not 5"}, "up", session.RandomName(), "--from", "base", "--workers", "5")

	// One that was restored can be saved and restored again.
	p.Must("snapshot", "save", "second", "--cluster", copies[1])
	p.Must("down", "--all")
	p.Must("snapshot", "restore", "second", source)
	available(t, p.client(source), "mine", time.Minute)
	if out := p.Must("run", "--from", "base", "--", "kubectl", "get", "configmap", "data", "-o", "jsonpath={.data.a}"); out != "b" {
		t.Errorf("the command printed %q", out)
	}
	p.Must("down", "--all")
	p.Must("snapshot", "remove", "base", "second")
	s.clear()
}

// checkPrivate checks that only the user can read the files below a directory of lab.
func (p *user) checkPrivate(parts ...string) {
	p.T.Helper()
	for _, path := range filesBelow(p.T, filepath.Join(append([]string{p.labHome}, parts...)...)) {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			p.T.Errorf("%s: mode %v, %v", path, info.Mode(), err)
		}
	}
}

// TestSnapshotFile exports a snapshot of a stopped cluster, and imports it for another user.
func TestSnapshotFile(t *testing.T) {
	t.Parallel()
	p, other := newUser(t), newUser(t)
	source := p.up()
	p.kubectl(source, "create", "configmap", "data", "--from-literal=a=b")
	p.Must("stop", source)
	p.Must("snapshot", "save", "base", "--cluster", source)
	if got := p.List()[source]; got.State != "stopped" {
		t.Errorf("the saved cluster is %s", got.State)
	}
	file := filepath.Join(t.TempDir(), "base.lab")
	p.Must("snapshot", "export", "base", file)
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	p.Must("down", source)
	p.Must("snapshot", "remove", "base")

	other.Must("snapshot", "import", file)
	other.Must("snapshot", "restore", "base")
	if got := other.kubectl(source, "get", "configmap", "data", "-o", "jsonpath={.data.a}"); got != "b" {
		t.Errorf("the restored cluster has %q", got)
	}
	other.Must("down", source)

	// Damage in the store is found before anything is created.
	data := filepath.Join(other.labHome, "state", "snapshots", "base", "data", "etcd.db")
	if err := os.Truncate(data, 4096); err != nil {
		t.Fatal(err)
	}
	other.fails(4, []string{"damaged", "lab snapshot remove base"}, "snapshot", "restore", "base")
	other.Must("snapshot", "remove", "base")
}

// TestSnapshotInterrupted kills lab at each step of a save and of a restore. Nothing half-made is listed,
// and gc removes the leftovers.
func TestSnapshotInterrupted(t *testing.T) {
	t.Parallel()
	p := newUser(t)
	source := p.up()
	for n := range 2 {
		got := p.killedAt(n, "snapshot", "save", "base", "--cluster", source)
		if list := p.Must("snapshot", "list", "-o", "json"); got.Code != 0 && strings.Contains(list, `"base"`) {
			t.Errorf("a save that was killed is listed: %s", list)
		}
		p.Must("gc")
		_ = p.Try("snapshot", "remove", "base") // it may have been complete
		if _, err := os.Stat(filepath.Join(p.labHome, "state", "snapshots")); err == nil {
			t.Errorf("after gc: %q", filesBelow(t, filepath.Join(p.labHome, "state", "snapshots")))
		}
		p.Must("status", source)
	}
	p.Must("snapshot", "save", "base", "--cluster", source)
	for n := range 4 {
		name := session.RandomName()
		if got := p.killedAt(n, "snapshot", "restore", "base", name); got.Code != 0 {
			session.Eventually(t, time.Minute, func(context.Context) error {
				p.Must("gc")
				return p.alone(source)
			})
		}
		_ = p.Try("down", name)
	}
	p.Must("down", source)
	p.Must("snapshot", "remove", "base")
}

// alone returns an error unless the cluster is the only one.
func (p *user) alone(name string) error {
	var list struct{ Items []session.Cluster }
	got := p.Try("list", "--all", "-o", "json")
	if err := json.Unmarshal([]byte(got.Stdout), &list); err != nil {
		return err
	}
	if len(list.Items) != 1 || list.Items[0].Name != name {
		return os.ErrExist
	}
	return nil
}

// killedAt runs lab, and kills it when step n starts.
func (p *user) killedAt(n int, args ...string) session.Result {
	p.T.Helper()
	return p.until(n, syscall.SIGKILL, args...)
}

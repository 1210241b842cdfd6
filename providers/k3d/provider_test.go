//go:build !windows

package k3d

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

func TestCheck(t *testing.T) {
	dockertest.Script(t, dockertest.Answer{Args: "info", Stdout: "28.0.0 2"},
		dockertest.Answer{Args: "image inspect --format {{.Id}} 127.0.0.1:1/k3s:v1.37.1-k3s1", Stdout: "sha256:1"},
		dockertest.Answer{Args: "image inspect", Stderr: "Error: No such image: x", Code: 1},
		dockertest.Answer{Args: "image ls", Stdout: "v1.37.1-k3s1\n"}, dockertest.Answer{Args: "images", Stdout: "v1.37.1-k3s1\n"})
	p := New(Options{NodeImage: "127.0.0.1:1/k3s:v1.37.1-k3s1"})
	if err := p.Check(t.Context(), providers.Spec{}); err != nil {
		t.Error(err)
	}
	err := p.Check(t.Context(), providers.Spec{KubernetesVersion: "v1.36.1"})
	if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), "the node image 127.0.0.1:1/k3s:v1.36.1-k3s1 is not on this machine") || fault.HintOf(err) == "" {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
}

func TestDelete(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("TMPDIR", t.TempDir())
	hosts := filepath.Join(os.TempDir(), "k3d-hostsfile-1") // left by a k3d that was killed
	if err := os.WriteFile(hosts, []byte("172.18.0.2 k3d-lab-server-0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	registry := node("registry", "running")
	d := dockertest.Script(t, append([]dockertest.Answer{
		{Args: "ps --all --quiet --no-trunc --filter label=k3d.role=registry", Stdout: registry.ID},
		{Args: "network ls --no-trunc --format {{.ID}} {{.Name}} {{.Labels}} --filter label=app=k3d", Stdout: "id-1 k3d-lab app=k3d\nid-2 k3d-other app=k3d\n"}, {Args: "network"},
		{Args: "volume ls --format {{.Name}} --filter label=k3d.cluster=lab", Stdout: "k3d-lab-images\n"}, {Args: "volume"}, {Args: "rm"},
	}, dockertest.Having(t, node("server-0", "running"), node("serverlb", "exited"))...)...)
	if err := New(Options{}).Delete(t.Context(), providers.Ref{Name: "lab"}); err != nil {
		t.Error(err)
	}
	var changes []string
	for _, call := range d.Calls(t) {
		if !strings.HasPrefix(call, "ps") && !strings.HasPrefix(call, "inspect") && !strings.Contains(call, " ls ") {
			changes = append(changes, call)
		}
	}
	want := []string{"rm --force --volumes id-of-server-0 id-of-serverlb", "volume rm k3d-lab-images",
		"network disconnect --force id-1 id-of-server-0", "network disconnect --force id-1 id-of-serverlb", // as Having answers for registries
		"network rm id-1"}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantEntries(t, filepath.Dir(hosts))
	d = dockertest.Script(t, dockertest.Answer{Args: "ps"}, dockertest.Answer{Args: "network"},
		dockertest.Answer{Args: "volume ls", Stdout: "k3d-lab-images\n"}, dockertest.Answer{Args: "volume rm k3d-lab-images"})
	if err := New(Options{}).Delete(t.Context(), providers.Ref{Name: "lab"}); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("error is %v, want ErrNotFound", err)
	}
	if !slices.Contains(d.Calls(t), "volume rm k3d-lab-images") {
		t.Errorf("a volume that came late is still there: %q", d.Calls(t))
	}
}

func TestCreateWhereTaken(t *testing.T) {
	info := dockertest.Answer{Args: "info", Stdout: "28.0.0 2"}
	for name, answers := range map[string][]dockertest.Answer{
		"a cluster":   append(dockertest.Having(t, node("server-0", "exited")), info),
		"a container": {info, {Args: "ps --all --quiet"}, {Args: "ps --all --format {{.Names}}", Stdout: "k3d-lab-server-01\nk3d-lab-serverlb\n"}},
	} {
		d := dockertest.Script(t, answers...)
		err := New(Options{}).Create(t.Context(), providers.Spec{Name: "lab", ControlPlanes: 1}, nil)
		if !errors.Is(err, fault.ErrExists) {
			t.Errorf("%s: %v, want ErrExists", name, err)
		}
		if calls := strings.Join(d.Calls(t), "\n"); strings.Contains(calls, "\nrm ") || strings.Contains(calls, "network") {
			t.Errorf("%s: it went on:\n%s", name, calls)
		}
	}
}

// refusing has an engine answer every request of k3d with the same error.
func refusing(t *testing.T, message string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Api-Version", "1.41")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte(`{"message": "` + message + `"}`))
	}))
	t.Cleanup(server.Close)
	t.Setenv("DOCKER_HOST", "tcp://"+strings.TrimPrefix(server.URL, "http://"))
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("HOME", t.TempDir())
}

// TestCreateFails has the engine refuse k3d's first request.
func TestCreateFails(t *testing.T) {
	refusing(t, "no space left on device")
	d := dockertest.Script(t, dockertest.Answer{Args: "info", Stdout: "28.0.0 1"}, dockertest.Answer{Args: "image inspect"},
		dockertest.Answer{Args: "ps"}, dockertest.Answer{Args: "network ls", Stdout: "id-1 k3d-lab"}, dockertest.Answer{Args: "network rm"},
		dockertest.Answer{Args: "volume"})
	logs := t.TempDir()
	var steps []string
	err := New(Options{}).Create(t.Context(), providers.Spec{Name: "lab", ControlPlanes: 1, LogsDir: logs},
		func(e event.Event) { steps = append(steps, e.Step+" "+string(e.State)) })
	if err == nil || !strings.Contains(err.Error(), "no space left on device") || !strings.Contains(fault.HintOf(err), "docker system df") {
		t.Errorf("error is %v (hint %q)", err, fault.HintOf(err))
	}
	want := []string{"Allowing cgroup v1, which Kubernetes 1.35 and newer rejects by default started", "Allowing cgroup v1, which Kubernetes 1.35 and newer rejects by default done",
		"Creating the nodes started", "Creating the nodes failed"}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !slices.Contains(d.Calls(t), "network rm id-1") {
		t.Errorf("the network stays; calls: %q", d.Calls(t))
	}
	wantEntries(t, logs) // no node ever ran
}

// TestMark checks that every container has the mark, and a network has none.
func TestMark(t *testing.T) {
	marked := node("agent-0", "running")
	marked.Config.Labels[labelMark] = "a mark"
	networks := dockertest.Answer{Args: "network ls", Stdout: "id-1 k3d-lab app=k3d\nid-2 k3d-of-another\n"}
	for name, test := range map[string]struct {
		answers []dockertest.Answer
		mark    string
		bare    bool
	}{
		"of another program": {dockertest.Having(t, node("server-0", "exited")), "", false},
		"of lab":             {dockertest.Having(t, marked), "a mark", false},
		"only a helper":      {dockertest.Having(t, node("tools", "exited")), "", true},
		"only a network":     {[]dockertest.Answer{{Args: "ps"}}, "", true},
	} {
		dockertest.Script(t, append(test.answers, networks)...)
		all, err := New(Options{}).List(t.Context())
		if err != nil || len(all) != 1 || all[0].Mark != test.mark || all[0].Bare != test.bare {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
	}
}

// TestSweepSparesTheFaster checks that containers of another program stay, and with them the
// network.
func TestSweepSparesTheFaster(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	ours, theirs := node("server-0", "running"), node("agent-0", "running")
	ours.Config.Labels[labelMark], theirs.Config.Labels[labelMark] = "a-mark", "another"
	for name, rival := range map[string]docker.Container{"of another lab": theirs, "of k3d itself": node("agent-0", "running")} {
		d := dockertest.Script(t, append(dockertest.Having(t, ours, rival, node("tools", "running")), dockertest.Answer{Args: "rm"})...)
		if err := sweep(t.Context(), providers.Ref{Name: "lab", Mark: "a-mark"}); err != nil {
			t.Error(err)
		}
		if calls := d.Calls(t); !slices.Contains(calls, "rm --force --volumes id-of-server-0") || len(calls) != 3 {
			t.Errorf("%s: calls: %q", name, calls)
		}
	}
}

func TestKubeconfig(t *testing.T) {
	const admin = `{apiVersion: v1, kind: Config, current-context: default, clusters: [{name: default, cluster: {server: "https://127.0.0.1:6443"}}],
users: [{name: default, user: {client-key-data: S0VZ}}], contexts: [{name: default, context: {cluster: default, user: default}}]}`
	balancer := node("serverlb", "exited")
	balancer.HostConfig.PortBindings = bindings("6443", "127.0.0.1", "4000") // as k3d asks for it
	dockertest.Script(t, append(dockertest.Having(t, node("server-0", "exited"), balancer),
		dockertest.Answer{Args: "cp --follow-link id-of-server-0:/output/kubeconfig.yaml -", Stdout: dockertest.File(admin)})...)
	got, err := New(Options{}).Kubeconfig(t.Context(), providers.Ref{Name: "lab"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"server: https://127.0.0.1:4000", "current-context: k3d-lab", "name: admin@k3d-lab", "cluster: k3d-lab"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// TestRemoveTools checks that a tools container of another k3d, which has the same name, stays.
func TestRemoveTools(t *testing.T) {
	d := dockertest.Script(t, append(dockertest.Having(t, node("tools", "running")), dockertest.Answer{Args: "rm"})...)
	removeTools(t.Context(), "a-token")
	want := []string{"ps --all --quiet --no-trunc --filter label=clusterlab.dev/tools=a-token", "inspect --type=container id-of-tools", "rm --force --volumes id-of-tools"}
	if diff := cmp.Diff(want, d.Calls(t)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCutShort checks that a cluster of which only a network exists is listed and deleted.
func TestCutShort(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	d := dockertest.Script(t, dockertest.Answer{Args: "ps"}, dockertest.Answer{Args: "network ls", Stdout: "id-1 k3d-lab app=k3d\n"},
		dockertest.Answer{Args: "network rm id-1"}, dockertest.Answer{Args: "volume ls"})
	p := New(Options{})
	if list, err := p.List(t.Context()); err != nil || len(list) != 1 || list[0].Name != "lab" || list[0].State != providers.StateDegraded {
		t.Errorf("%+v, %v", list, err)
	}
	// Also of one that was whole once: with its containers went what bears its mark.
	for _, ref := range []providers.Ref{{Name: "lab", Mark: "a-mark"}, {Name: "lab", ID: "id-of-server-0", Mark: "a-mark"}} {
		if list, err := p.List(t.Context()); err != nil || !ref.Is(list[0]) {
			t.Errorf("%+v is not taken for %+v, %v", list, ref, err)
		}
		if err := p.Delete(t.Context(), ref); err != nil || !slices.Contains(d.Calls(t), "network rm id-1") {
			t.Errorf("%v, after %q", err, d.Calls(t))
		}
	}
}

func TestLoadImages(t *testing.T) {
	p := New(Options{})
	archive := filepath.Join(t.TempDir(), "image.tar")
	for path, says := range map[string]string{archive: "image.tar", filepath.Dir(archive): "is a directory"} {
		if err := p.LoadImages(t.Context(), providers.Ref{Name: "lab"}, path); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
	}
	archive = dockertest.Images(t, "web:v1")
	dockertest.Script(t, dockertest.Having(t, node("server-0", "running"), node("agent-0", "exited"))...)
	if err := p.LoadImages(t.Context(), providers.Ref{Name: "lab"}, archive); err == nil || fault.HintOf(err) != "start the cluster: lab start lab" {
		t.Errorf("a node is down: %v (hint %q)", err, fault.HintOf(err))
	}
	d := dockertest.Script(t, append(dockertest.Having(t, node("server-0", "running"), node("agent-0", "running"), node("serverlb", "exited")),
		dockertest.Answer{Args: "exec --interactive id-of-agent-0 ctr --namespace=k8s.io images import -"},
		dockertest.Answer{Args: "exec id-of-agent-0 ctr --namespace=k8s.io images ls", Stdout: "docker.io/library/web:v1\n"},
		dockertest.Answer{Args: "exec", Stderr: "ctr: unrecognized image format", Code: 1})...)
	if err := p.LoadImages(t.Context(), providers.Ref{Name: "lab"}, archive); err == nil || err.Error() != "node k3d-lab-server-0: ctr: unrecognized image format" {
		t.Errorf("no archive of images: %v", err)
	}
	if calls := d.Calls(t); len(calls) != 5 {
		t.Errorf("calls: %q", calls)
	}
}

func TestExportLogs(t *testing.T) {
	dir := t.TempDir()
	dockertest.Script(t, append(dockertest.Having(t, node("server-0", "running"), node("serverlb", "created")),
		dockertest.Answer{Args: "logs --tail all id-of-server-0", Stdout: "out\n", Stderr: "err\n"},
		dockertest.Answer{Args: "logs", Stderr: "Error response from daemon: no logs", Code: 1},
		dockertest.Answer{Args: "cp id-of-server-0:/var/log/pods", Stderr: "no such directory", Code: 1})...)
	if err := New(Options{}).ExportLogs(t.Context(), providers.Ref{Name: "lab"}, dir); err != nil {
		t.Fatal(err)
	}
	wantEntries(t, dir, "k3d-lab-server-0.log", "k3d-lab-serverlb.log")
	for name, want := range map[string]string{"k3d-lab-server-0.log": "out\nerr\n", "k3d-lab-serverlb.log": "no logs"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

// TestStartRefreshes checks that the load balancer is restarted if all nodes run and the API
// server does not answer.
func TestStartRefreshes(t *testing.T) {
	d := dockertest.Script(t, append(dockertest.Having(t, node("server-0", "running"), node("serverlb", "running")),
		dockertest.Answer{Args: "update"}, dockertest.Answer{Args: "restart", Stderr: "Error response from daemon: no space left on device", Code: 1})...)
	err := New(Options{}).Start(t.Context(), providers.Ref{Name: "lab"}, nil)
	if calls := d.Calls(t); err == nil || calls[len(calls)-1] != "restart id-of-serverlb" {
		t.Errorf("%v, after %q", err, calls)
	}
}

// TestMarkOf checks that a container from a commit of a node, which inherits its labels, has no
// mark.
func TestMarkOf(t *testing.T) {
	t.Parallel()
	marked := func(name, network string) docker.Container {
		c := node("agent-0", "running")
		c.Name = name
		c.Config.Labels[labelMark], c.Config.Labels["k3d.cluster.network"] = "m", "k3d-lab"
		c.NetworkSettings.Networks = map[string]docker.Endpoint{network: {}}
		return c
	}
	for _, test := range []struct {
		c    docker.Container
		want string
	}{
		{marked("k3d-lab-agent-0", "k3d-lab"), "m"},
		{marked("k3d-lab-agent-0", "gone"), "m"},
		{marked("renamed", "k3d-lab"), "m"},
		{marked("committed", "bridge"), ""},
		{marked("k3d-lab2-agent-0", "bridge"), ""},
	} {
		if got := markOf(test.c); got != test.want {
			t.Errorf("%s in %v: %q", test.c.Name, test.c.NetworkSettings.Networks, got)
		}
	}
}

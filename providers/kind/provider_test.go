//go:build !windows

package kind

import (
	"errors"
	"net/netip"
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
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

func TestCheck(t *testing.T) {
	info := dockertest.Answer{Args: "info", Stdout: "28.0.0 2"}
	absent := dockertest.Answer{Args: "image inspect", Stderr: "Error: No such image: x", Code: 1}
	for name, test := range map[string]struct {
		answers []dockertest.Answer
		says    string
	}{
		"present": {[]dockertest.Answer{info, {Args: "image inspect --format {{.Id}} 127.0.0.1:1/node:v1", Stdout: "sha256:1"}}, ""},
		"neither": {[]dockertest.Answer{info, absent}, "the node image 127.0.0.1:1/node:v1 is not on this machine, and its registry cannot be reached: 127.0.0.1:1: "},
		"stopped": {[]dockertest.Answer{{Args: "info", Stderr: "Cannot connect to the Docker daemon", Code: 1}}, "Cannot connect"},
	} {
		dockertest.Script(t, test.answers...)
		p := New(Options{NodeImage: "127.0.0.1:1/node:v1"})
		err := p.Check(t.Context(), providers.Spec{})
		if test.says == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if !errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), test.says) || fault.HintOf(err) == "" {
			t.Errorf("%s: %v (hint %q), want %q", name, err, fault.HintOf(err), test.says)
		}
	}
}

// TestCheckAsksForTheImage: the image that the user named must be on this machine.
func TestCheckAsksForTheImage(t *testing.T) {
	dockertest.Script(t, dockertest.Answer{Args: "info", Stdout: "28.0.0 2"},
		dockertest.Answer{Args: "image inspect --format {{.Id}} here:v1", Stdout: "sha256:1"},
		dockertest.Answer{Args: "image inspect", Stderr: "Error: No such image: x", Code: 1})
	p := New(Options{NodeImage: "127.0.0.1:1/node:v1"})
	if err := p.Check(t.Context(), providers.Spec{NodeImage: "here:v1"}); err != nil {
		t.Error(err)
	}
	if err := p.Check(t.Context(), providers.Spec{KubernetesVersion: "v9"}); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1/node:v9 is not on this machine") {
		t.Error(err)
	}
}

func TestDelete(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kind")
	if err := os.MkdirAll(filepath.Join(dir, "lab"), 0o700); err != nil {
		t.Fatal(err)
	}
	d := dockertest.Script(t, append(dockertest.Having(t, node("control-plane", "running"), node("worker", "exited")), dockertest.Answer{Args: "rm"})...)
	if err := New(Options{Dir: dir}).Delete(t.Context(), providers.Ref{Name: "lab"}); err != nil {
		t.Error(err)
	}
	if !slices.Contains(d.Calls(t), "rm --force --volumes id-of-control-plane id-of-worker") {
		t.Errorf("calls: %q", d.Calls(t))
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there: %v", dir, err)
	}
	dockertest.Script(t, dockertest.Answer{Args: "ps"})
	if err := os.MkdirAll(filepath.Join(dir, "lab"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := New(Options{Dir: dir}).Delete(t.Context(), providers.Ref{Name: "lab"}); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("error is %v, want ErrNotFound", err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("of one that never had a node, %s is still there: %v", dir, err)
	}
}

// TestMark checks that the mark is the name of a mount point of every node, and that a load
// balancer has none.
func TestMark(t *testing.T) {
	marked := node("worker", "exited")
	marked.HostConfig.Binds = []string{"/lib/modules:/lib/modules:ro", "/lib/modules:/kind/lab/a-mark:ro"}
	for name, test := range map[string]struct {
		container docker.Container
		mark      string
		bare      bool
	}{
		"of another program": {node("control-plane", "exited"), "", false},
		"of lab":             {marked, "a-mark", false},
		"only a balancer":    {node(roleBalancer, "exited"), "", true},
	} {
		dockertest.Script(t, dockertest.Having(t, test.container)...)
		all, err := New(Options{}).List(t.Context())
		if err != nil || len(all) != 1 || all[0].Mark != test.mark || all[0].Bare != test.bare {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
	}
}

// TestDeleteStaysInside checks that a name that is a path removes nothing outside lab's
// directory.
func TestDeleteStaysInside(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(dir, "outside")
	if err := os.Mkdir(outside, 0o700); err != nil {
		t.Fatal(err)
	}
	dockertest.Script(t, append(dockertest.Having(t, node("control-plane", "running")), dockertest.Answer{Args: "rm"})...)
	if err := New(Options{Dir: filepath.Join(dir, "kind")}).Delete(t.Context(), providers.Ref{Name: "../outside"}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(outside); err != nil {
		t.Error(err)
	}
}

func TestCreateWhereTaken(t *testing.T) {
	for name, answers := range map[string][]dockertest.Answer{
		"a cluster":   dockertest.Having(t, node("control-plane", "exited")),
		"a container": {{Args: "ps --all --quiet"}, {Args: "ps --all --format {{.Names}}", Stdout: "lab-control-plane2\nlab-worker2\nlab-control-plane\n"}},
	} {
		d := dockertest.Script(t, answers...)
		err := New(Options{}).Create(t.Context(), providers.Spec{Name: "lab", ControlPlanes: 1}, nil)
		if !errors.Is(err, fault.ErrExists) {
			t.Errorf("%s: %v, want ErrExists", name, err)
		}
		if calls := strings.Join(d.Calls(t), "\n"); strings.Contains(calls, "run ") || strings.Contains(calls, "rm ") {
			t.Errorf("%s: it went on:\n%s", name, calls)
		}
	}
}

// TestCreateFails has kind itself fail at its first container.
func TestCreateFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kind")
	d := dockertest.Script(t,
		dockertest.Answer{Args: "info --format {{.ServerVersion}}", Stdout: "28.0.0 1"},
		dockertest.Answer{Args: "info --format {{json .}}", Stdout: `{"CgroupVersion":"1"}`},
		dockertest.Answer{Args: "info"}, dockertest.Answer{Args: "image inspect"}, dockertest.Answer{Args: "inspect --type=image"},
		dockertest.Answer{Args: "network ls", Stdout: "kind\n"}, dockertest.Answer{Args: "network"}, dockertest.Answer{Args: "ps"},
		dockertest.Answer{Args: "run", Stderr: "docker: Error response from daemon: Bind for 127.0.0.1:80 failed: port is already allocated.", Code: 125},
		dockertest.Answer{Args: ""})
	var steps []string
	err := New(Options{Dir: dir}).Create(t.Context(), providers.Spec{Name: "lab", ControlPlanes: 1, LogsDir: dir},
		func(e event.Event) { steps = append(steps, e.Step+" "+string(e.State)) })
	if err == nil || !strings.Contains(err.Error(), "port is already allocated") || !strings.Contains(fault.HintOf(err), "--port") {
		t.Errorf("error is %v (hint %q)", err, fault.HintOf(err))
	}
	if last := steps[len(steps)-1]; last != "Preparing nodes failed" {
		t.Errorf("steps: %q", steps)
	}
	if !slices.Contains(steps, "Allowing cgroup v1, which Kubernetes 1.35 and newer rejects by default done") {
		t.Errorf("no warning: %q", steps)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is there: %v; calls: %q", dir, err, d.Calls(t))
	}
}

// TestCreateSparesTheFaster checks that a failed creation does not remove nodes that another
// program created at the same time.
func TestCreateSparesTheFaster(t *testing.T) {
	engine := []dockertest.Answer{
		{Args: "info --format {{.ServerVersion}}", Stdout: "28.0.0 2"}, {Args: "info --format {{json .}}", Stdout: `{"CgroupVersion":"2"}`},
		{Args: "info"}, {Args: "image inspect"}, {Args: "inspect --type=image"}, {Args: "network ls", Stdout: "kind\n"}, {Args: "network"},
	}
	rival := dockertest.Having(t, node("control-plane", "running"))
	for name, answers := range map[string][]dockertest.Answer{
		"before kind looks": {{Args: "ps -a", Stdout: "lab-control-plane\n", Once: true}},
		"after kind looked": {{Args: "ps -a"}, {Args: "run", Code: 125,
			Stderr: `docker: Error response from daemon: Conflict. The container name "/lab-control-plane" is already in use by container "b2".`}},
	} {
		free := dockertest.Answer{Args: "ps --all", Once: true} // checkFree looks twice, at two things
		d := dockertest.Script(t, slices.Concat(engine, answers, []dockertest.Answer{free, free, free, free}, rival, []dockertest.Answer{{Args: "rm"}})...)
		err := New(Options{Dir: filepath.Join(t.TempDir(), "kind")}).Create(t.Context(), providers.Spec{Name: "lab", ControlPlanes: 1}, nil)
		if !errors.Is(err, fault.ErrExists) {
			t.Errorf("%s: %v, want ErrExists", name, err)
		}
		if calls := strings.Join(d.Calls(t), "\n"); strings.Contains(calls, "\nrm ") {
			t.Errorf("%s: it removed them:\n%s", name, calls)
		}
	}
}

// TestCreateTakesBackItsOwn: another program takes the name of one of several nodes during the
// creation. The created nodes have the creation's mark and are removed; the other one stays.
func TestCreateTakesBackItsOwn(t *testing.T) {
	ours, theirs := node("control-plane", "running"), node("worker", "running")
	ours.HostConfig.Binds = []string{"/lib/modules:/kind/lab/a-mark:ro"}
	before := dockertest.Having(t, ours, theirs)
	before[0].Once, before[1].Once = true, true
	free := dockertest.Answer{Args: "ps --all", Once: true} // checkFree looks twice, at two things
	d := dockertest.Script(t, slices.Concat([]dockertest.Answer{
		{Args: "info --format {{.ServerVersion}}", Stdout: "28.0.0 2"}, {Args: "info --format {{json .}}", Stdout: `{"CgroupVersion":"2"}`},
		{Args: "info"}, {Args: "image inspect"}, {Args: "inspect --type=image"}, {Args: "network ls", Stdout: "kind\n"}, {Args: "network"}, {Args: "ps -a"},
		{Args: "rm --force --volumes id-of-control-plane"}, free, free, free, free, {Args: "run --name lab-worker", Code: 125,
			Stderr: `docker: Error response from daemon: Conflict. The container name "/lab-worker" is already in use by container "b2".`},
		{Args: "run"}, {Args: "logs", Stdout: "Reached target Multi-User System detected cgroup v1"}, {Args: "exec"}, {Args: "cp"},
	}, before, dockertest.Having(t, theirs))...)
	spec := providers.Spec{Name: "lab", ControlPlanes: 1, Workers: 1, Mark: "a-mark"}
	err := New(Options{Dir: filepath.Join(t.TempDir(), "kind")}).Create(t.Context(), spec, nil)
	if calls := d.Calls(t); !errors.Is(err, fault.ErrExists) || !slices.Contains(calls, "rm --force --volumes id-of-control-plane") {
		t.Errorf("%v; calls: %q", err, calls)
	}
	for _, call := range d.Calls(t) {
		if strings.HasPrefix(call, "rm ") && strings.Contains(call, "id-of-worker") {
			t.Errorf("it removed what is another's: %s", call)
		}
	}
}

func TestStop(t *testing.T) {
	d := dockertest.Script(t, append(dockertest.Having(t, node("control-plane", "running"), node("worker", "paused"), node("worker2", "exited")),
		dockertest.Answer{Args: "update"}, dockertest.Answer{Args: "unpause"}, dockertest.Answer{Args: "stop"})...)
	if err := New(Options{}).Stop(t.Context(), providers.Ref{Name: "lab"}); err != nil {
		t.Error(err)
	}
	want := []string{"update --restart=no id-of-control-plane id-of-worker id-of-worker2", "unpause id-of-worker", "stop id-of-control-plane id-of-worker"}
	if diff := cmp.Diff(want, d.Calls(t)[2:]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestInOrder(t *testing.T) {
	t.Parallel()
	for want, had := range map[string]string{ // by node: a, b, c; the balancer is x
		"x a b c": "172.18.0.3 172.18.0.4 172.18.0.5", "c b a x": "172.18.0.4 172.18.0.3 172.18.0.2",
		"a x c b": "172.18.0.2 172.18.0.5 172.18.0.4", "b c x a": "172.18.0.200 172.18.0.2 172.18.0.3",
		"c x a b": "172.18.0.9 172.18.0.10 172.18.0.2", "x b a c": "fc00::9 fc00::8 none",
	} {
		addresses, asleep := map[string]netip.Addr{}, []docker.Container{{ID: "x"}}
		for i, text := range strings.Fields(had) {
			id := string(rune('a' + i))
			addresses[id], _ = netip.ParseAddr(text)
			asleep = append(asleep, docker.Container{ID: id})
		}
		if strings.Contains(had, "none") {
			asleep = asleep[:3]
			want = strings.TrimSuffix(want, " c")
		}
		if got := strings.Join(nodes.IDs(inOrder(asleep, addresses)), " "); got != want {
			t.Errorf("%s: %s, want %s", had, got, want)
		}
	}
}

// TestStartOrder checks that nodes start in the order of their former addresses, so that they
// get them again.
func TestStartOrder(t *testing.T) {
	all := []docker.Container{node("control-plane", "exited"), node("external-load-balancer", "exited"), node("worker", "exited"), node("worker2", "paused")}
	d := dockertest.Script(t, append(dockertest.Having(t, all...),
		dockertest.Answer{Args: "update"}, dockertest.Answer{Args: "unpause"},
		dockertest.Answer{Args: "cp --follow-link id-of-control-plane:/kind/old-ipv4 -", Stdout: dockertest.File("172.18.0.3")},
		dockertest.Answer{Args: "cp --follow-link id-of-worker:", Stdout: dockertest.File("172.18.0.2\n")},
		dockertest.Answer{Args: "cp", Stderr: "Error: Could not find the file", Code: 1},
		dockertest.Answer{Args: "start id-of-external-load-balancer", Stderr: "Error response from daemon: no space left on device", Code: 1},
		dockertest.Answer{Args: "start"})...)
	err := New(Options{}).Start(t.Context(), providers.Ref{Name: "lab"}, nil)
	if err == nil || !strings.Contains(err.Error(), "no space left") || !strings.Contains(fault.HintOf(err), "docker system df") {
		t.Errorf("error is %v (hint %q)", err, fault.HintOf(err))
	}
	var starts []string
	for _, call := range d.Calls(t) {
		if strings.HasPrefix(call, "start") || strings.HasPrefix(call, "u") {
			starts = append(starts, call)
		}
	}
	want := []string{
		"update --restart=on-failure:1 id-of-control-plane id-of-external-load-balancer id-of-worker id-of-worker2", "unpause id-of-worker2",
		"start id-of-worker", "start id-of-control-plane", "start id-of-external-load-balancer",
	}
	if diff := cmp.Diff(want, starts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLoadImages(t *testing.T) {
	p := New(Options{})
	archive := filepath.Join(t.TempDir(), "image.tar")
	if err := p.LoadImages(t.Context(), providers.Ref{Name: "lab"}, archive); err == nil || !strings.Contains(err.Error(), "image.tar") {
		t.Errorf("no archive: %v", err)
	}
	if err := p.LoadImages(t.Context(), providers.Ref{Name: "lab"}, filepath.Dir(archive)); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("a directory: %v", err)
	}
	archive = dockertest.Images(t, "web:v1")
	dockertest.Script(t, dockertest.Having(t, node("control-plane", "running"), node("worker", "exited"))...)
	if err := p.LoadImages(t.Context(), providers.Ref{Name: "lab"}, archive); err == nil || fault.HintOf(err) != "start the cluster: lab start lab" {
		t.Errorf("a node is down: %v (hint %q)", err, fault.HintOf(err))
	}
	dockertest.Script(t, append(dockertest.Having(t, node("control-plane", "running"), node("external-load-balancer", "running")),
		dockertest.Answer{Args: "exec --interactive id-of-control-plane ctr", Stderr: "ctr: unrecognized image format", Code: 1})...)
	if err := p.LoadImages(t.Context(), providers.Ref{Name: "lab"}, archive); err == nil || err.Error() != "node lab-control-plane: ctr: unrecognized image format" {
		t.Errorf("no archive of images: %v", err)
	}
}

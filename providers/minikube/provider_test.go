//go:build !windows

package minikube

import (
	"errors"
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

func TestDelete(t *testing.T) {
	p, tool := scripted(t)
	keep(t, p, "lab", inDocker())
	write(t, filepath.Join(p.home.machinesDir(), "lab-m02", "id_rsa"), "key")
	write(t, filepath.Join(p.runner.scratch("lab"), "lock"), "")
	write(t, p.home.certificate("lab", []byte("certificate")), "certificate")
	keep(t, p, "lab-other", inDocker())
	before := len(left(t, p))
	dockertest.Script(t, ready(answer{Args: "network rm"})...)
	if err := p.Delete(t.Context(), providers.Ref{Name: "lab"}); err != nil {
		t.Fatal(err)
	}
	after := left(t, p)
	if i := slices.IndexFunc(after, func(f string) bool {
		return strings.Contains(f, "lab/") || strings.Contains(f, "lab-m02") || strings.Contains(f, "lab-lab-")
	}); i >= 0 || before-len(after) != 8 {
		t.Errorf("there were %d files, and left are %q", before, after)
	}
	if calls := tool.Calls(t); len(calls) > 1 || calls[0] != "" {
		t.Errorf("minikube was called: %q", calls)
	}
	if err := p.Delete(t.Context(), providers.Ref{Name: "lab"}); !errors.Is(err, fault.ErrNotFound) {
		t.Errorf("again: %v", err)
	}
}

// TestDeleteOfNetworkInUse checks that a container of another program in the cluster's network
// stays.
func TestDeleteOfNetworkInUse(t *testing.T) {
	p, _ := scripted(t)
	keep(t, p, "lab", inDocker())
	dockertest.Script(t, ready(answer{Args: "network ls", Stdout: "1 lab"}, answer{Args: "network rm", Stderr: "Error response from daemon: network lab has active endpoints", Code: 1})...)
	if err := p.Delete(t.Context(), providers.Ref{Name: "lab"}); err == nil || !strings.Contains(fault.HintOf(err), "docker network disconnect --force lab") || !p.home.hasProfile("lab") {
		t.Errorf("%v (hint %q)", err, fault.HintOf(err))
	}
}

// TestDeleteOfOtherDrivers checks that minikube removes nodes that are not containers.
func TestDeleteOfOtherDrivers(t *testing.T) {
	machine := inDocker()
	machine.Driver, machine.Nodes[0].IP, machine.Nodes[0].Port = "kvm2", "127.0.0.1", 1
	for name, test := range map[string]struct {
		answers []answer
		fails   bool
	}{
		"removed":  {[]answer{{Args: "delete", Stdout: `{"type":"io.k8s.sigs.minikube.step","data":{"name":"Deleting"}}`}}, false},
		"it fails": {[]answer{{Args: "delete", Stderr: "no", Code: 1}}, true},
	} {
		p, tool := scripted(t, append(test.answers, answer{Args: "status", Stdout: `{"Host":"Stopped"}`})...)
		dockertest.None(t)
		keep(t, p, "lab", machine)
		err := p.Delete(t.Context(), providers.Ref{Name: "lab"})
		if (err != nil) != test.fails || p.home.hasProfile("lab") != test.fails || !strings.Contains(strings.Join(tool.Calls(t), "\n"), "delete --output=json --profile=lab") {
			t.Errorf("%s: %v, %q", name, err, tool.Calls(t))
		}
	}
}

// TestDeleteStaysInside checks that a name that is a path removes nothing outside the
// directories of minikube and lab.
func TestDeleteStaysInside(t *testing.T) {
	p, _ := scripted(t)
	outside := filepath.Join(string(p.home), "profiles", "..", "cache")
	write(t, filepath.Join(outside, "file"), "")
	for _, name := range []string{"../cache", "..", "."} {
		c := node("x", "exited", 0)
		c.Config.Labels[label] = name
		dockertest.Script(t, dockertest.Having(t, c)...)
		if err := p.home.remove(name); err == nil {
			t.Errorf("%q: no error", name)
		}
	}
	if _, err := os.Stat(filepath.Join(outside, "file")); err != nil {
		t.Error(err)
	}
}

func TestStart(t *testing.T) {
	_, port := api(t)
	p, tool := scripted(t, started(t))
	p.opts.ExtraArgs = []string{"--kubernetes-version=v1.37.2", "--preload=false", "--extra-config=a.b=c"}
	keep(t, p, "lab", inDocker())
	asleep, awake := dockertest.Having(t, node("lab", "exited", 137)), dockertest.Having(t, published(node("lab", "running", 0), port))
	asleep = asleep[:2] // the networks are asked for less often
	for i := range asleep {
		asleep[i].Once = true
	}
	docker := dockertest.Script(t, append(slices.Concat(asleep, asleep, asleep, awake), answer{Args: "start"})...)
	var got []string
	err := p.Start(t.Context(), providers.Ref{Name: "lab"}, func(e event.Event) {
		if e.State != event.Progress {
			got = append(got, e.Step+" "+string(e.State))
		}
	})
	want := []string{"Starting the nodes started", "Starting the nodes done", "Waiting for the API server started", "Waiting for the API server done"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if calls := tool.Calls(t); !slices.Contains(calls, "start --preload=false --wait=apiserver --interactive=false --output=json --profile=lab --skip-audit") {
		t.Errorf("minikube was called: %q", calls)
	}
	if !slices.Contains(docker.Calls(t), "start id-of-lab") {
		t.Errorf("docker was called: %q", docker.Calls(t))
	}
	calls := len(tool.Calls(t))
	if err := p.Start(t.Context(), providers.Ref{Name: "lab"}, nil); err != nil || len(tool.Calls(t)) != calls {
		t.Errorf("a cluster that runs: %v, %q", err, tool.Calls(t))
	}
}

// TestStartElsewhere checks that a node whose address is in use gets another one, and that the
// profile says so.
func TestStartElsewhere(t *testing.T) {
	_, port := api(t)
	p, _ := scripted(t, started(t))
	keep(t, p, "lab", inDocker())
	write(t, filepath.Join(p.home.profileDir("lab"), "config.json"),
		`{"Driver":"docker","CertExpiration":94608000000000001,"Nodes":[{"Name":"","IP":"192.168.49.2","Port":8443},{"Name":"m02","IP":"192.168.49.3"}]}`)
	moved := published(node("lab", "running", 0), port)
	moved.NetworkSettings.Networks = map[string]docker.Endpoint{"lab": {IPAddress: "192.168.49.7"}}
	asleep, awake := dockertest.Having(t, node("lab", "exited", 137)), dockertest.Having(t, moved)
	asleep = asleep[:2] // the networks are asked for less often
	for i := range asleep {
		asleep[i].Once = true
	}
	taken := answer{Args: "start", Stderr: "Error response from daemon: Address already in use", Code: 1, Once: true}
	dockertest.Script(t, append(slices.Concat(asleep, asleep, asleep, awake), taken, answer{Args: "start"}, answer{Args: "network"})...)
	if err := p.Start(t.Context(), providers.Ref{Name: "lab"}, nil); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(p.home.profileDir("lab"), "config.json"))
	for _, want := range []string{`"IP": "192.168.49.7"`, `"IP": "192.168.49.3"`, `"Port": 8443`, `94608000000000001`} {
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%v, the profile lacks %s:\n%s", err, want, text)
		}
	}
}

func TestStop(t *testing.T) {
	p, tool := scripted(t)
	keep(t, p, "lab", inDocker())
	docker := dockertest.Script(t, append(dockertest.Having(t, node("lab", "running", 0)), answer{Args: "stop"}, answer{Args: "unpause"})...)
	if err := p.Stop(t.Context(), providers.Ref{Name: "lab"}); err != nil || !slices.Contains(docker.Calls(t), "stop id-of-lab") {
		t.Errorf("%v, %q", err, docker.Calls(t))
	}
	if slices.ContainsFunc(docker.Calls(t), func(c string) bool { return strings.HasPrefix(c, "update") }) || tool.Calls(t)[0] != "" {
		t.Errorf("docker was called: %q; minikube: %q", docker.Calls(t), tool.Calls(t))
	}
}

func TestLoadImages(t *testing.T) {
	archive := dockertest.Images(t, "web:v1")
	for runtime, want := range map[string]string{
		"containerd": "ctr --namespace=k8s.io images import -", "docker": "docker load", "crio": "podman load",
	} {
		p, _ := scripted(t)
		config := inDocker()
		config.KubernetesConfig.ContainerRuntime = runtime
		keep(t, p, "lab", config)
		docker := dockertest.Script(t, append(dockertest.Having(t, node("lab", "running", 0), node("lab-m02", "running", 0)),
			answer{Args: "exec", Stdout: "docker.io/library/web:v1\n"})...)
		if err := p.LoadImages(t.Context(), providers.Ref{Name: "lab"}, archive); err != nil {
			t.Error(err)
		}
		for _, node := range []string{"id-of-lab", "id-of-lab-m02"} {
			if call := "exec --interactive " + node + " " + want; !slices.Contains(docker.Calls(t), call) {
				t.Errorf("docker %s was not called: %q", call, docker.Calls(t))
			}
		}
	}
	p, _ := scripted(t)
	keep(t, p, "lab", inDocker())
	dockertest.Script(t, append(dockertest.Having(t, node("lab", "running", 0)), answer{Args: "exec", Stderr: "ctr: unrecognized image format", Code: 1})...)
	if err := p.LoadImages(t.Context(), providers.Ref{Name: "lab"}, archive); err == nil || !strings.Contains(err.Error(), "node lab: ctr: unrecognized image format") {
		t.Errorf("an import that fails: %v", err)
	}
	dockertest.Script(t, dockertest.Having(t, node("lab", "exited", 130))...)
	if err := p.LoadImages(t.Context(), providers.Ref{Name: "lab"}, archive); err == nil || fault.HintOf(err) != "start the cluster: lab start lab" {
		t.Errorf("a stopped cluster: %v", err)
	}
	if err := p.LoadImages(t.Context(), providers.Ref{Name: "lab"}, t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Error(err)
	}
}

func TestExportLogs(t *testing.T) {
	p, tool := scripted(t, answer{Args: "logs"})
	keep(t, p, "lab", inDocker())
	dockertest.Script(t, append(dockertest.Having(t, node("lab", "running", 0)), answer{Args: "logs --tail all id-of-lab", Stdout: "systemd"},
		answer{Args: "exec id-of-lab journalctl", Stderr: "no journal", Code: 1})...)
	dir := t.TempDir()
	t.Chdir(filepath.Dir(dir))
	if err := p.ExportLogs(t.Context(), providers.Ref{Name: "lab"}, filepath.Base(dir)); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"events.json": "{}", "lab.log": "systemd", "lab-journal.log": "no journal\n"} {
		if got, err := os.ReadFile(filepath.Join(dir, file)); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", file, got, err)
		}
	}
	if want := "logs --file=" + filepath.Join(dir, "minikube.log") + " --profile=lab --skip-audit"; !slices.Contains(tool.Calls(t), want) {
		t.Errorf("minikube was called: %q", tool.Calls(t))
	}
}

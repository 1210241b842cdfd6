//go:build !windows

package minikube

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/event"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

// started returns minikube's output when it has created a cluster.
func started(t *testing.T) answer {
	t.Helper()
	transcript, err := os.ReadFile("testdata/start.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return answer{Args: "start", Stdout: string(transcript)}
}

func TestCreate(t *testing.T) {
	p, tool := scripted(t, started(t))
	dockertest.Script(t, ready()...)
	t.Setenv("KUBECONFIG", "/of/the/user")
	var steps []string
	err := p.Create(t.Context(), providers.Spec{Name: "lab", Mark: "a-mark"}.WithDefaults(), func(e event.Event) {
		if e.State == event.Started {
			steps = append(steps, e.Cluster+": "+e.Step)
		}
	})
	if err != nil || len(steps) != 12 || steps[4] != "lab: Creating Container" {
		t.Errorf("%v, %q", err, steps)
	}
	want := "start --driver=docker --container-runtime=containerd --wait=apiserver --apiserver-names=a-mark.lab.invalid --interactive=false --output=json --profile=lab --skip-audit"
	if calls := tool.Calls(t); !slices.Contains(calls, want) || slices.ContainsFunc(calls, func(c string) bool { return strings.Contains(c, "--force") }) {
		t.Errorf("minikube was called: %q", calls)
	}
	if files := left(t, p); len(files) > 0 {
		t.Errorf("left behind: %q", files)
	}
}

// TestCreateTaken checks that nothing begins if an object with the name exists.
func TestCreateTaken(t *testing.T) {
	for what, test := range map[string]struct {
		docker answer
		hint   string
	}{
		"a container":        {answer{Args: "ps --all --format", Stdout: "lab\nlab-other"}, "docker rm --force lab"},
		"a second node":      {answer{Args: "ps --all --format", Stdout: "lab-m02"}, "docker rm --force lab-m02"},
		"a volume":           {answer{Args: "volume ls", Stdout: "lab-more\nlab"}, "docker volume rm lab"},
		"a cluster's volume": {answer{Args: "volume ls", Stdout: "lab-m02"}, "docker volume rm lab-m02"},
	} {
		p, tool := scripted(t)
		dockertest.Script(t, ready(test.docker)...)
		err := p.Create(t.Context(), providers.Spec{Name: "lab", ControlPlanes: 1, Workers: 1}, nil)
		if !errors.Is(err, fault.ErrExists) || !strings.Contains(fault.HintOf(err), test.hint) {
			t.Errorf("%s: %v (hint %q)", what, err, fault.HintOf(err))
		}
		if calls := tool.Calls(t); len(calls) > 1 {
			t.Errorf("%s: minikube was called: %q", what, calls)
		}
	}
	p, _ := scripted(t)
	dockertest.Script(t, ready()...)
	keep(t, p, "lab", inDocker())
	if err := p.Create(t.Context(), providers.Spec{Name: "lab", ControlPlanes: 1}, nil); !errors.Is(err, fault.ErrExists) {
		t.Errorf("a profile: %v", err)
	}
}

// TestCreateFails checks that the error is minikube's, that logs are saved, and that leftovers
// are removed.
func TestCreateFails(t *testing.T) {
	transcript, err := os.ReadFile("testdata/port-taken.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	p, _ := scripted(t, answer{Args: "start", Stdout: string(transcript), Code: 80})
	once := func(args, stdout string, times int) []answer {
		return slices.Repeat([]answer{{Args: args, Stdout: stdout, Once: true}}, times)
	}
	having := dockertest.Having(t, node("lab", "running", 0))
	answers := slices.Concat(once("ps --all --quiet", "", 2), once("ps --all --quiet", having[0].Stdout, 4),
		once("volume ls --format {{.Name}} --filter label", "lab\nlab-m02\nlab-other", 1), once("network ls", "id-of-network lab", 1),
		[]answer{having[1], {Args: "logs", Stdout: "systemd"}, {Args: "exec", Stdout: "kubelet"}, {Args: "rm"}, {Args: "volume rm"}, {Args: "network rm"}})
	docker := dockertest.Script(t, ready(answers...)...)
	logs := t.TempDir()
	err = p.Create(t.Context(), providers.Spec{Name: "lab", ControlPlanes: 1, LogsDir: logs}, nil)
	if err == nil || !strings.Contains(err.Error(), "listen tcp4 127.0.0.1:8080: bind: address already in use") || !strings.Contains(err.Error(), "its logs are in "+logs) {
		t.Error(err)
	}
	for _, call := range []string{"rm --force --volumes id-of-lab", "volume rm lab lab-m02", "network rm id-of-network"} {
		if !slices.Contains(docker.Calls(t), call) {
			t.Errorf("docker %s was not called: %q", call, docker.Calls(t))
		}
	}
	if files := left(t, p); len(files) > 0 {
		t.Errorf("left behind: %q", files)
	}
}

func TestCreateInterrupted(t *testing.T) {
	p, _ := scripted(t, answer{Args: "start", Hangs: true, Stdout: ""})
	dockertest.Script(t, ready()...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := p.Create(ctx, providers.Spec{Name: "lab", ControlPlanes: 1}, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
	if files := left(t, p); len(files) > 0 {
		t.Errorf("left behind: %q", files)
	}
}

func TestCgroupV1IsSaid(t *testing.T) {
	p, tool := scripted(t, started(t))
	dockertest.Script(t, ready(answer{Args: "info", Stdout: "28.0.0 1"})...)
	said := false
	err := p.Create(t.Context(), providers.Spec{Name: "lab", ControlPlanes: 1}, func(e event.Event) {
		said = said || strings.Contains(e.Step, "cgroup v1")
	})
	if err != nil || !said || !strings.Contains(strings.Join(tool.Calls(t), "\n"), allowCgroupV1) {
		t.Errorf("%v, said %t, %q", err, said, tool.Calls(t))
	}
}

// TestMirrors checks that mirrors are configured in the nodes after the creation.
func TestMirrors(t *testing.T) {
	p, _ := scripted(t, started(t))
	p.opts.Registries = map[string]string{"quay.io": "quay.corp"}
	having := dockertest.Having(t, node("lab", "running", 0))
	before := slices.Repeat([]answer{{Args: "ps --all --quiet", Once: true}}, 2) // until it began
	docker := dockertest.Script(t, ready(slices.Concat(before, []answer{{Args: "ps --all --format"}}, having, []answer{{Args: "cp - id-of-lab:/"}})...)...)
	if err := p.Create(t.Context(), providers.Spec{Name: "lab", ControlPlanes: 1}, nil); err != nil || !slices.Contains(docker.Calls(t), "cp - id-of-lab:/") {
		t.Errorf("%v, %q", err, docker.Calls(t))
	}
	said := ""
	p.opts.warnOfMirrors([]string{"--driver=kvm2"}, func(e event.Event) { said = e.Step })
	if !strings.Contains(said, "quay.corp") {
		t.Errorf("with another driver it says %q", said)
	}
}

// TestSeveralControlPlanes checks that an old minikube, which lacks the flag, is refused.
func TestSeveralControlPlanes(t *testing.T) {
	dockertest.Script(t, ready()...)
	tool := dockertest.Program(t, programName, answer{Args: "version", Stdout: `{"minikubeVersion":"v1.32.0"}`})
	p := New(Options{Program: tool.Path(), Home: t.TempDir(), Dir: filepath.Join(t.TempDir(), "lab")})
	if err := p.Create(t.Context(), providers.Spec{Name: "lab", ControlPlanes: 3}, nil); !errors.Is(err, fault.ErrUnsupported) || len(tool.Calls(t)) > 1 {
		t.Errorf("%v, %q", err, tool.Calls(t))
	}
}

// TestNodeDies checks that minikube is ended when a node dies.
func TestNodeDies(t *testing.T) {
	p, _ := scripted(t, answer{Args: "start", Hangs: true})
	having := dockertest.Having(t, node("lab", "exited", 137))
	dead := slices.Concat(slices.Repeat([]answer{{Args: "ps --all --quiet", Once: true}}, 2),
		slices.Repeat([]answer{{Args: "ps --all --quiet", Stdout: having[0].Stdout, Once: true}}, 3), having[1:])
	dockertest.Script(t, ready(append([]answer{{Args: "ps --all --format"}}, dead...)...)...)
	if err := p.Create(t.Context(), providers.Spec{Name: "lab", ControlPlanes: 1, LogsDir: t.TempDir()}, nil); err == nil || !strings.Contains(err.Error(), "node lab exited (exit code 137)") {
		t.Errorf("error is %v", err)
	}
}

// TestCertificate checks that lab's certificate is in minikube's home only while its own
// cluster starts: minikube copies every certificate there into every cluster.
func TestCertificate(t *testing.T) {
	p, _ := scripted(t, started(t))
	dockertest.Script(t, ready()...)
	file := filepath.Join(t.TempDir(), "ca.pem")
	spec := providers.Spec{Name: "lab", ControlPlanes: 1, CAFile: file}
	write(t, file, "not PEM")
	if err := p.Create(t.Context(), spec, nil); !errors.Is(err, fault.ErrInvalid) || fault.HintOf(err) == "" {
		t.Errorf("an invalid certificate: %v", err)
	}
	const text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	write(t, file, text)
	lent := p.home.certificate("lab", []byte(text))
	users := []string{filepath.Join(filepath.Dir(lent), "lab-lab.pem"), p.home.certificate("lab", []byte("another"))}
	for _, path := range users { // under a name that lab might give
		write(t, path, "of the user")
	}
	there := false
	err := p.Create(t.Context(), spec, func(e event.Event) {
		_, err := os.Stat(lent)
		there = there || err == nil && e.State == event.Started
	})
	for _, path := range users {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("a file of the user: %v", err)
		}
	}
	if _, gone := os.Stat(lent); err != nil || !there || !errors.Is(gone, os.ErrNotExist) {
		t.Errorf("%v; it was there: %t, and afterwards: %v", err, there, gone)
	}
}

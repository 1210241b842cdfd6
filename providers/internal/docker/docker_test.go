//go:build !windows

package docker_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

func TestMain(m *testing.M) { os.Exit(dockertest.Main(m)) }

func TestPing(t *testing.T) {
	for name, test := range map[string]struct {
		answer     dockertest.Answer
		want       docker.Engine
		says, hint string
	}{
		"v1": {dockertest.Answer{Stdout: "20.10.24 1\n"}, docker.Engine{Version: "20.10.24", CgroupV1: true}, "", ""},
		"v2": {dockertest.Answer{Stdout: "28.2.2 2\n"}, docker.Engine{Version: "28.2.2"}, "", ""},
		"stopped": {
			dockertest.Answer{Stdout: " \n", Stderr: "ERROR: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\nerrors pretty printing info\n", Code: 1},
			docker.Engine{}, "Cannot connect to the Docker daemon", "start",
		},
		"mute":         {dockertest.Answer{Stdout: " \n"}, docker.Engine{}, "does not answer", "start"},
		"not allowed":  {dockertest.Answer{Stderr: "permission denied while trying to connect to the Docker daemon socket", Code: 1}, docker.Engine{}, "permission denied", "usermod"},
		"other words":  {dockertest.Answer{Stderr: "Error: no such context: shop", Code: 1}, docker.Engine{}, "no such context: shop", ""},
		"without them": {dockertest.Answer{Code: 3}, docker.Engine{}, "exit status 3", ""},
	} {
		t.Run(name, func(t *testing.T) {
			test.answer.Args = "info"
			dockertest.Script(t, test.answer)
			got, err := docker.Ping(t.Context())
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			check(t, err, test.says, test.hint)
			if test.hint != "" && !errors.Is(err, fault.ErrUnavailable) {
				t.Errorf("%v is not ErrUnavailable", err)
			}
		})
	}
}

func TestPingWithoutDocker(t *testing.T) {
	dockertest.None(t)
	_, err := docker.Ping(t.Context())
	check(t, err, "docker is not installed", "https://docs.docker.com")
	if !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("%v is not ErrUnavailable", err)
	}
}

func TestPingCancelled(t *testing.T) {
	dockertest.Script(t, dockertest.Answer{Args: "info", Hangs: true})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := docker.Ping(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("error is %v", err)
	}
}

// TestSlowEngine checks that an engine that does not answer in time counts as unavailable and not as
// gone: it may answer later.
func TestSlowEngine(t *testing.T) {
	dockertest.Script(t, dockertest.Answer{Args: "info", Hangs: true})
	_, err := docker.AskWithin(t.Context(), 50*time.Millisecond, "info")
	if !errors.Is(err, fault.ErrUnavailable) || docker.Gone(err) || fault.HintOf(err) == "" {
		t.Errorf("error is %v (hint %q)", err, fault.HintOf(err))
	}
}

const inspected = `[{"Id":"b2","Name":"/lab-worker","State":{"Status":"running"}},
{"Id":"a1","Name":"/lab-control-plane","Created":"2026-01-02T03:04:05.6Z","State":{"Status":"exited","ExitCode":137},
"Config":{"Labels":{"role":"x"}},"HostConfig":{"RestartPolicy":{"Name":"no"},"PortBindings":{"6443/tcp":[{"HostIp":"127.0.0.1","HostPort":"4000"}]}}}]`

func TestContainers(t *testing.T) {
	for name, answer := range map[string]dockertest.Answer{
		"all there":          {Stdout: inspected},
		"one gone meanwhile": {Stdout: inspected, Stderr: "Error: No such container: c3\n", Code: 1},
	} {
		t.Run(name, func(t *testing.T) {
			answer.Args = "inspect --type=container a1 b2 c3"
			dockertest.Script(t, dockertest.Answer{Args: "ps --all --quiet --no-trunc --filter label=k=v", Stdout: "a1\nb2\nc3\n"}, answer)
			got, err := docker.Containers(t.Context(), "k=v")
			if err != nil || len(got) != 2 || got[0].Name != "lab-control-plane" || got[1].Name != "lab-worker" {
				t.Fatalf("%+v, %v", got, err)
			}
			if c := got[0]; c.ID != "a1" || c.Running() || c.State.ExitCode != 137 || c.HostConfig.PortBindings["6443/tcp"][0].HostPort != "4000" {
				t.Errorf("%+v", c)
			}
		})
	}
	dockertest.Script(t, dockertest.Answer{Args: "ps"})
	if got, err := docker.Containers(t.Context(), "k"); len(got) > 0 || err != nil {
		t.Errorf("none: %v, %v", got, err)
	}
}

func TestRemove(t *testing.T) {
	for words, want := range map[string]string{
		"Error: No such container: a1":                                                 "",
		"Error: No such container: a1\nError response from daemon: device is busy":     "device is busy",
		"Error response from daemon: cannot remove container: the file system is gone": "the file system is gone",
	} {
		d := dockertest.Script(t, dockertest.Answer{Args: "rm", Stderr: words, Code: 1})
		check(t, docker.Remove(t.Context(), "a1", "b2"), want, "")
		if diff := cmp.Diff([]string{"rm --force --volumes a1 b2"}, d.Calls(t)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if err := docker.Remove(t.Context()); err != nil {
		t.Errorf("nothing: %v", err)
	}
}

// TestRemoveWaits checks that a container that the engine already removes, as after an interrupted
// removal, is gone when Remove returns.
func TestRemoveWaits(t *testing.T) {
	busy := dockertest.Answer{Args: "rm", Stderr: "Error response from daemon: removal of container a1 is already in progress", Code: 1, Once: true}
	d := dockertest.Script(t, busy, busy, dockertest.Answer{Args: "rm", Stderr: "Error: No such container: a1", Code: 1})
	if err := docker.Remove(t.Context(), "a1"); err != nil || len(d.Calls(t)) != 3 {
		t.Errorf("%v, after %q", err, d.Calls(t))
	}
}

func TestHasImage(t *testing.T) {
	dockertest.Script(t,
		dockertest.Answer{Args: "image inspect --format {{.Id}} here", Stdout: "sha256:1"},
		dockertest.Answer{Args: "image inspect --format {{.Id}} away", Stderr: "Error: No such image: away", Code: 1},
		dockertest.Answer{Args: "image inspect", Stderr: "error during connect: EOF", Code: 1})
	for image, want := range map[string]bool{"here": true, "away": false} {
		if has, err := docker.HasImage(t.Context(), image); has != want || err != nil {
			t.Errorf("%s: %t, %v", image, has, err)
		}
	}
	if _, err := docker.HasImage(t.Context(), "unknown"); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("error is %v", err)
	}
}

func TestPull(t *testing.T) {
	d := dockertest.Script(t,
		dockertest.Answer{Args: "pull", Stderr: "Error response from daemon: net/http: TLS handshake timeout", Code: 1, Once: true},
		dockertest.Answer{Args: "pull", Stdout: "v1: Pulling from a/b\naa: Already exists\nbb: Pulling fs layer\nbb: Download complete\nbb: Pull complete\nDigest: sha256:1\n"})
	var moved []string
	if err := docker.Pull(t.Context(), "a/b:v1", func(m string) { moved = append(moved, m) }); err != nil {
		t.Error(err)
	}
	want := []string{"retrying: Error response from daemon: net/http: TLS handshake timeout", "1 of 1 layers", "1 of 2 layers", "2 of 2 layers"}
	if diff := cmp.Diff(want, moved); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if calls := d.Calls(t); len(calls) != 2 {
		t.Errorf("calls: %q", calls)
	}
}

func TestPullInVain(t *testing.T) {
	d := dockertest.Script(t, dockertest.Answer{Args: "pull", Stderr: "Error response from daemon: manifest for a/b:v9 not found: manifest unknown", Code: 1})
	err := docker.Pull(t.Context(), "a/b:v9", func(string) {})
	check(t, err, "pull a/b:v9: Error response from daemon: manifest for a/b:v9 not found", "--image")
	if !errors.Is(err, fault.ErrNotFound) || len(d.Calls(t)) != 1 {
		t.Errorf("%v, after %q", err, d.Calls(t))
	}
}

func TestPullCancelled(t *testing.T) {
	dockertest.Script(t, dockertest.Answer{Args: "pull", Hangs: true})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := docker.Pull(ctx, "a/b", func(string) {}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v", err)
	}
}

func TestRegistryOf(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]string{
		"kindest/node:v1.37.0@sha256:aa": "registry-1.docker.io", "busybox": "registry-1.docker.io", "busybox:1.2": "registry-1.docker.io",
		"docker.io/envoyproxy/envoy:v1": "registry-1.docker.io", "registry.corp/kind-node:v1": "registry.corp",
		"localhost/x": "localhost", "127.0.0.1:5000/x/y:z": "127.0.0.1:5000", "reg:5000/x": "reg:5000",
	} {
		if got := docker.RegistryOf(image); got != want {
			t.Errorf("%s: %q, want %q", image, got, want)
		}
	}
}

func TestAskRegistry(t *testing.T) {
	t.Parallel()
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.Method + " " + r.URL.Path
		w.WriteHeader(http.StatusUnauthorized)
	}))
	host := strings.TrimPrefix(server.URL, "http://")
	if err := docker.AskRegistry(t.Context(), host+"/node:v1"); err != nil || asked != "HEAD /v2/" {
		t.Errorf("%v; it was asked %q", err, asked)
	}
	server.Close()
	if err := docker.AskRegistry(t.Context(), host+"/node:v1"); err == nil || !strings.Contains(err.Error(), host) {
		t.Errorf("once it is gone: %v", err)
	}
}

// TestAskMuteRegistry checks that lab does not wait for a registry behind a firewall that drops
// packets.
func TestAskMuteRegistry(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer server.Close()
	defer close(release)
	began := time.Now()
	err := docker.AskRegistry(t.Context(), strings.TrimPrefix(server.URL, "http://")+"/node:v1")
	if err == nil || !strings.Contains(err.Error(), "did not answer within 2s") || time.Since(began) > 10*docker.RegistryWithin {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}

// check checks the message of an error, "" for none, and its hint.
func check(t *testing.T, err error, says, hint string) {
	t.Helper()
	switch {
	case says == "" && err != nil:
		t.Errorf("error is %v, want none", err)
	case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
		t.Errorf("error is %v, want one that says %q", err, says)
	case !strings.Contains(fault.HintOf(err), hint):
		t.Errorf("the hint is %q, want %q in it", fault.HintOf(err), hint)
	}
}

func TestLastLines(t *testing.T) {
	warned := "time=\"2026-01-02\" level=warning msg=\"DEPRECATION: cgroup v1\"\nctr: unrecognized image format\n"
	if got := docker.LastLines(warned, 3); got != "ctr: unrecognized image format" {
		t.Errorf("a warning before the reason: %q", got)
	}
	t.Parallel()
	text := strings.Repeat("0a", 32) + "\r\n\none\ntwo  \nRun 'docker run --help' for more information\n"
	for n, want := range map[int]string{1: "two", 2: "one\ntwo", 9: "one\ntwo"} {
		if got := docker.LastLines(text, n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// TestFrozen checks that frozen processes are thawed by a container of the same image, and then
// die.
func TestFrozen(t *testing.T) {
	for command, end := range map[string]func(context.Context, ...string) error{"rm": docker.Remove, "stop": docker.Stop} {
		t.Run(command, func(t *testing.T) {
			d := dockertest.Script(t,
				dockertest.Answer{Args: command, Code: 1, Once: true,
					Stderr: "Error response from daemon: cannot end container: a: tried to kill container, but did not receive an exit event"},
				dockertest.Answer{Args: "inspect --type=container --format {{.Image}} a", Stdout: "sha256:1\n"},
				dockertest.Answer{Args: "inspect", Stderr: "Error: No such container: b", Code: 1},
				dockertest.Answer{Args: "run --rm --privileged"}, dockertest.Answer{Args: command})
			if err := end(t.Context(), "a", "b"); err != nil {
				t.Error(err)
			}
			calls := d.Calls(t)
			if len(calls) != 5 || !strings.Contains(calls[2], "--entrypoint=sh sha256:1 -c find /cgroup/freezer") || !strings.HasSuffix(calls[2], " a") || calls[4] != calls[0] {
				t.Errorf("calls: %q", calls)
			}
		})
	}
}

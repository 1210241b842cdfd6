//go:build !windows

package docker_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/docker/dockertest"
)

func TestCurrent(t *testing.T) {
	info := dockertest.Answer{Args: "info --format {{.ID}}", Stdout: "AAAA:BBBB\n"}
	for name, test := range map[string]struct {
		context dockertest.Answer
		env     map[string]string
		want    providers.Engine
	}{
		"the default": {dockertest.Answer{Stdout: "default\tunix:///var/run/docker.sock\n"}, nil, providers.Engine{ID: "AAAA:BBBB", Host: "unix:///var/run/docker.sock"}},
		"a context":   {dockertest.Answer{Stdout: "colima\tunix:///home/x/docker.sock\n"}, nil, providers.Engine{ID: "AAAA:BBBB", Context: "colima", Host: "unix:///home/x/docker.sock"}},
		"with TLS": {dockertest.Answer{Stdout: "default\ttcp://h:2376\n"}, map[string]string{"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/certs"},
			providers.Engine{ID: "AAAA:BBBB", Host: "tcp://h:2376", CertPath: "/certs"}},
		"no docker": {dockertest.Answer{Stderr: "unknown command", Code: 125}, map[string]string{"DOCKER_HOST": "unix:///podman.sock"},
			providers.Engine{ID: "AAAA:BBBB", Host: "unix:///podman.sock"}},
	} {
		t.Run(name, func(t *testing.T) {
			test.context.Args = "context inspect"
			dockertest.Script(t, info, test.context)
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			if got, err := docker.Current(t.Context()); err != nil || got != test.want {
				t.Errorf("%+v, %v; want %+v", got, err, test.want)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	env := []string{"PATH=/bin", "DOCKER_HOST=tcp://other", "DOCKER_CONTEXT=other", "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH=/other"}
	for want, e := range map[string]providers.Engine{
		"PATH=/bin DOCKER_HOST=unix:///a.sock":                                                               {Context: "a", Host: "unix:///a.sock"},
		"PATH=/bin DOCKER_CONTEXT=far":                                                                       {Context: "far", Host: "ssh://far"},
		"PATH=/bin DOCKER_HOST=tcp://h:2376 DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/certs":                     {Host: "tcp://h:2376", CertPath: "/certs"},
		"PATH=/bin DOCKER_HOST=tcp://other DOCKER_CONTEXT=other DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=/other": {ID: "known by nothing else"},
	} {
		if got := strings.Join(docker.Environment(env, e), " "); got != want {
			t.Errorf("%+v: %s\nwant %s", e, got, want)
		}
	}
	if len(env) != 5 || !slices.Contains(env, "DOCKER_HOST=tcp://other") {
		t.Errorf("it changed what it was given: %q", env)
	}
}

// TestOn checks that commands use the engine of their context, and that an error names it.
func TestOn(t *testing.T) {
	d := dockertest.Script(t, dockertest.Answer{Args: "ps", Stderr: "Cannot connect to the Docker daemon at unix:///a.sock", Code: 1})
	ctx := docker.On(t.Context(), providers.Engine{Context: "a", Host: "unix:///a.sock"})
	_, err := docker.Containers(ctx, "x")
	check(t, err, "the cluster is on the Docker engine at unix:///a.sock, which does not answer", "docker --context a info")
	if !errors.Is(err, fault.ErrUnavailable) || !docker.Gone(err) {
		t.Errorf("%v", err)
	}
	if hosts := d.Environment(t, "DOCKER_HOST"); !slices.Equal(hosts, []string{"unix:///a.sock"}) {
		t.Errorf("DOCKER_HOST was %q", hosts)
	}
}

func TestCheckEngine(t *testing.T) {
	recorded := providers.Engine{ID: "A", Host: "unix:///a.sock"}
	for name, test := range map[string]struct {
		engine  providers.Engine
		answers []dockertest.Answer
		says    string
	}{
		"the same":       {recorded, []dockertest.Answer{{Args: "info", Stdout: "A\n"}}, ""},
		"another":        {recorded, []dockertest.Answer{{Args: "info", Stdout: "B\n"}}, "is not the one on which the cluster was created"},
		"none":           {recorded, []dockertest.Answer{{Args: "info", Stderr: "Cannot connect to the Docker daemon", Code: 1}}, "which does not answer"},
		"a context gone": {providers.Engine{ID: "A", Context: "far", Host: "ssh://far"}, []dockertest.Answer{{Args: "info", Stderr: `Failed to initialize: unable to resolve docker endpoint: context "far": context not found`, Code: 1}}, "docker no longer has the context \"far\""},
		"none recorded":  {providers.Engine{}, []dockertest.Answer{{Args: "context ls", Stdout: "unix:///a.sock\nunix:///a.sock\n"}}, ""},
		"one of several": {providers.Engine{}, []dockertest.Answer{{Args: "context ls", Stdout: "unix:///a.sock\nunix:///b.sock\n"}}, "docker has contexts for unix:///a.sock, unix:///b.sock"},
	} {
		dockertest.Script(t, test.answers...)
		err := docker.CheckEngine(t.Context(), test.engine)
		if (err == nil) != (test.says == "") || err != nil && (!errors.Is(err, fault.ErrUnavailable) || !strings.Contains(err.Error(), test.says) || fault.HintOf(err) == "") {
			t.Errorf("%s: %v (hint %q), want %q", name, err, fault.HintOf(err), test.says)
		}
	}
}

// TestRequireCurrent checks that the hint says how to switch to the engine of a cluster.
func TestRequireCurrent(t *testing.T) {
	dockertest.Script(t, dockertest.Answer{Args: "context inspect", Stdout: "default\tunix:///b.sock"}, dockertest.Answer{Args: "info", Stdout: "B"})
	for hint, e := range map[string]providers.Engine{
		"switch to the engine of the cluster: docker context use a":              {ID: "A", Context: "a", Host: "unix:///a.sock"},
		"switch to the engine of the cluster: export DOCKER_HOST=unix:///a.sock": {ID: "A", Host: "unix:///a.sock"},
	} {
		if err := docker.RequireCurrent(t.Context(), e); !errors.Is(err, fault.ErrUnavailable) || fault.HintOf(err) != hint {
			t.Errorf("%v (hint %q), want %q", err, fault.HintOf(err), hint)
		}
	}
	for _, e := range []providers.Engine{{}, {Host: "unix:///b.sock"}, {ID: "B", Context: "renamed", Host: "unix:///link.sock"}} {
		if err := docker.RequireCurrent(t.Context(), e); err != nil {
			t.Errorf("%+v: %v", e, err)
		}
	}
}

package docker

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

type engineKey struct{}

// On returns a context in which the commands of this package use engine e instead of docker's
// current one. The zero Engine changes nothing.
func On(ctx context.Context, e providers.Engine) context.Context {
	if e.IsZero() {
		return ctx
	}
	return context.WithValue(ctx, engineKey{}, e)
}

// Current returns the engine that the docker command uses now. It returns ErrUnavailable if
// that does not answer.
func Current(ctx context.Context) (providers.Engine, error) {
	e := endpoint(ctx)
	id, err := engineID(ctx)
	e.ID = id
	return e, err
}

// endpoint returns the address that the docker command uses, without asking the engine.
// Programs that imitate docker have no contexts; then only the ID is known.
func endpoint(ctx context.Context) providers.Engine {
	out, err := ask(ctx, "context", "inspect", "--format", "{{.Name}}\t{{.Endpoints.docker.Host}}")
	name, host, ok := strings.Cut(strings.TrimSpace(string(out)), "\t")
	if err != nil || !ok {
		return providers.Engine{Host: os.Getenv("DOCKER_HOST")}
	}
	if name != "default" {
		return providers.Engine{Context: name, Host: host}
	}
	e := providers.Engine{Host: host}
	if os.Getenv("DOCKER_TLS_VERIFY") != "" {
		e.CertPath = os.Getenv("DOCKER_CERT_PATH")
	}
	return e
}

func engineID(ctx context.Context) (string, error) {
	out, err := ask(ctx, "info", "--format", "{{.ID}}")
	return strings.TrimSpace(string(out)), err
}

// CheckEngine returns ErrUnavailable if an engine does not answer, or if another engine answers
// at its address.
//
// For the zero Engine it returns ErrUnavailable if docker knows several engines: older versions
// of lab did not record the engine of a cluster.
func CheckEngine(ctx context.Context, e providers.Engine) error {
	if e.IsZero() {
		return checkAlone(ctx)
	}
	id, err := engineID(On(ctx, e))
	if err != nil || e.ID == "" || id == e.ID {
		return err
	}
	return fault.WithHint(
		fault.Errorf(fault.ErrUnavailable, "the Docker engine at %s is not the one on which the cluster was created", e.Host),
		"start the engine of the cluster; list the contexts: docker context ls")
}

func checkAlone(ctx context.Context) error {
	out, err := ask(ctx, "context", "ls", "--format", "{{.DockerEndpoint}}")
	hosts := strings.Fields(string(out))
	slices.Sort(hosts)
	if hosts = slices.Compact(hosts); err != nil || len(hosts) < 2 { // programs that imitate docker have no contexts
		return nil
	}
	return fault.WithHint(
		fault.Errorf(fault.ErrUnavailable, "the cluster may be on another Docker engine: docker has contexts for %s", strings.Join(hosts, ", ")),
		"list the contexts: docker context ls; use the one of the cluster: docker context use NAME")
}

// RequireCurrent returns ErrUnavailable if an engine is not docker's current one, for tools
// that cannot use another. It accepts the zero Engine.
func RequireCurrent(ctx context.Context, e providers.Engine) error {
	if e.Host == "" || endpoint(ctx).Host == e.Host {
		return nil
	}
	if id, err := engineID(ctx); err == nil && id == e.ID {
		return nil
	}
	err := fault.Errorf(fault.ErrUnavailable, "the cluster is on the Docker engine at %s, but docker currently uses another one", e.Host)
	if e.Context != "" {
		return fault.WithHint(err, "switch to the engine of the cluster: docker context use %s", e.Context)
	}
	return fault.WithHint(err, "switch to the engine of the cluster: export DOCKER_HOST=%s", e.Host)
}

// Environment returns env with the variables that select an engine for the docker command and
// for programs that use it. A socket of this machine is selected by its path, because a context
// may be renamed. TLS and ssh are settings of the context.
func Environment(env []string, e providers.Engine) []string {
	if e.Host == "" {
		return env
	}
	env = slices.DeleteFunc(slices.Clone(env), func(v string) bool {
		key, _, _ := strings.Cut(v, "=")
		return slices.Contains([]string{"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"}, key)
	})
	if e.Context != "" && !strings.HasPrefix(e.Host, "unix://") && !strings.HasPrefix(e.Host, "npipe://") {
		return append(env, "DOCKER_CONTEXT="+e.Context)
	}
	env = append(env, "DOCKER_HOST="+e.Host)
	if e.CertPath != "" {
		env = append(env, "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH="+e.CertPath)
	}
	return env
}

// Env returns env with the variables that select the engine of ctx: see [Environment].
func Env(ctx context.Context, env []string) []string {
	if e, ok := ctx.Value(engineKey{}).(providers.Engine); ok {
		return Environment(env, e)
	}
	return env
}

// command returns a docker command for the engine of ctx.
func command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.WaitDelay = time.Second // a plugin of docker may keep the pipes open
	cmd.Env = Env(ctx, os.Environ())
	return cmd
}

// located adds to an error the engine that does not answer, if it is not the current one.
func located(ctx context.Context, err error) error {
	e, ok := ctx.Value(engineKey{}).(providers.Engine)
	if !ok || e.Host == "" || !errors.Is(err, fault.ErrUnavailable) {
		return err
	}
	if strings.Contains(err.Error(), "context not found") {
		return fault.WithHint(
			fault.Errorf(fault.ErrUnavailable, "the cluster is on the Docker engine at %s, and docker no longer has the context %q", e.Host, e.Context),
			"recreate the context: docker context create %s --docker host=%s", e.Context, e.Host)
	}
	where := "--host " + e.Host
	if e.Context != "" {
		where = "--context " + e.Context
	}
	return fault.WithHint(
		fault.Errorf(fault.ErrUnavailable, "the cluster is on the Docker engine at %s, which does not answer: %w", e.Host, err),
		"start that engine, and check it: docker %s info", where)
}

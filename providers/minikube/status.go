package minikube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"time"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
	"github.com/clusterlab-dev/lab/providers/internal/docker"
	"github.com/clusterlab-dev/lab/providers/internal/nodes"
)

// statusWithin bounds how long minikube may take to report the state of a virtual machine.
const statusWithin = 10 * time.Second

// inspect describes a cluster that has a profile and no container in the Docker Engine.
func (p *Provider) inspect(ctx context.Context, name string) providers.Cluster {
	c := providers.Cluster{Name: name, Provider: Name, ID: p.home.identity(name)}
	p.setMark(ctx, &c, false)
	config, err := p.home.profile(name)
	switch {
	case errors.Is(err, fault.ErrNotFound):
		c.State, c.Reason = providers.StateDegraded, "its creation did not finish"
	case err != nil:
		c.State, c.Reason = providers.StateUnknown, err.Error()
	case config.Driver == driverDocker:
		c.State, c.Reason = providers.StateDegraded, "its containers are missing"
		c.Parts = []providers.Part{} // so that recorded parts count as removed
		if networks, err := networksOf(ctx, name); err == nil && len(networks) > 0 {
			c.Parts = append(c.Parts, providers.Part{Kind: "network", Name: name, Repair: true})
		}
	default:
		c.State, c.Reason, c.KubernetesVersion = p.ask(ctx, name, config)
	}
	if c.State == providers.StateDegraded && p.isYoung(name) {
		c.State, c.Reason = providers.StateCreating, ""
	}
	return c
}

// ask asks the API server of a cluster, or else minikube, for its state.
func (p *Provider) ask(ctx context.Context, name string, config profile) (_ providers.State, reason, version string) {
	at, err := config.address()
	if err == nil {
		version, err = nodes.AskVersion(ctx, at)
	}
	if err == nil {
		return providers.StateRunning, "", version
	}
	host, server, said := p.runner.status(ctx, name)
	switch {
	case said != nil:
		return providers.StateUnknown, "minikube does not report its state: " + said.Error(), ""
	case host == "Stopped":
		return providers.StateStopped, "", ""
	case server == "Running": // lab cannot reach it
		return providers.StateRunning, "", config.KubernetesConfig.KubernetesVersion
	}
	return providers.StateDegraded, "its API server does not answer: " + err.Error(), ""
}

// status has minikube report the state of a cluster's first machine, and of the API server
// there.
func (r *runner) status(ctx context.Context, name string) (host, server string, err error) {
	path, err := r.findProgram()
	if err != nil {
		return "", "", err
	}
	ctx, cancel := context.WithTimeout(ctx, statusWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "status", "--output=json", "--profile="+name, "--skip-audit")
	cmd.Env, cmd.WaitDelay = docker.Env(ctx, r.environment(name)), time.Second
	out, err := cmd.Output() // it fails if the cluster does not run
	if ctx.Err() != nil {
		return "", "", ctx.Err()
	}
	var machines []struct{ Host, APIServer string }
	if !bytes.HasPrefix(bytes.TrimSpace(out), []byte("[")) { // it is a list for several nodes
		out = append(append([]byte("["), out...), ']')
	}
	if json.Unmarshal(out, &machines) != nil || len(machines) == 0 {
		return "", "", unfit(path, errors.Join(errors.New("it does not report the state"), err))
	}
	return machines[0].Host, machines[0].APIServer, nil
}

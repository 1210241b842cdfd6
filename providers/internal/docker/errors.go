package docker

import (
	"errors"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/clusterlab-dev/lab/providers/fault"
)

// Explain returns err with a kind and a hint if words, the output of a docker command such as
// "pull", contain a known cause. Otherwise it returns err. The output of `docker exec` is that
// of another program, except the last line, which may be docker's.
func Explain(command, words string, err error) error {
	last := LastLines(words, 1)
	switch {
	case command == "pull":
		return explainPull(words, err)
	case command != "exec":
		return explain(words, err)
	case errors.Is(err, exec.ErrNotFound), unanswered(last):
		return explain(last, err)
	}
	return withHint(err, fault.MachineHint(last))
}

func withHint(err error, hint string) error {
	if hint == "" {
		return err
	}
	return fault.WithHint(err, "%s", hint)
}

// Daemon returns the engine's own answer from the error of a program that asked it.
func Daemon(words string) (said string, ok bool) {
	const mark = "Error response from daemon: "
	i := strings.LastIndex(words, mark)
	if i < 0 {
		return "", false
	}
	said, _, _ = strings.Cut(words[i+len(mark):], "\n")
	return withoutIDs(said), true
}

func explain(words string, err error) error {
	said := saidIn(words)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return notInstalled()
	case said("permission denied while trying to connect", "dial unix /var/run/docker.sock: connect: permission denied"):
		return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "%w", err),
			"add your user to the group docker, then log in again: sudo usermod -aG docker \"$USER\"")
	case unanswered(words):
		return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "%w", err), "%s", startHint(false))
	case said("unable to resolve docker endpoint", "context not found"):
		return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "%w", err), "list the contexts: docker context ls")
	case portTaken(words):
		return fault.WithHint(err, "another program uses that host port; publish another one: --port HOST:CONTAINER")
	case said("unable to start container process: exec:", "exec format error"):
		return fault.WithHint(err, "use another image: --image IMAGE; this one lacks that program or is for another CPU architecture")
	}
	return withHint(err, fault.MachineHint(words))
}

// explainPull is explain for `docker pull`, whose output may also be about a registry.
func explainPull(words string, err error) error {
	said := saidIn(words)
	switch {
	case unanswered(words):
	case said("manifest unknown", "manifest for", "pull access denied", "repository does not exist"):
		return fault.WithHint(fault.Errorf(fault.ErrNotFound, "%w", err),
			"use an image that exists: --image IMAGE; list the local images: docker images")
	case said("no such host", "TLS handshake timeout", "i/o timeout", "network is unreachable", "connection refused",
		"Client.Timeout exceeded", "toomanyrequests"):
		return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "%w", err),
			"check the network and retry, or use a local image: --image IMAGE")
	}
	return explain(words, err)
}

// PortTaken reports whether err says that another program uses a port of this machine.
func PortTaken(err error) bool { return portTaken(err.Error()) }

func portTaken(words string) bool {
	return saidIn(words)("port is already allocated", "address already in use", "ports are not available")
}

// unanswered reports whether words say that the engine does not answer.
func unanswered(words string) bool {
	return saidIn(words)("Cannot connect to the Docker daemon", "error during connect", "failed to connect to the docker API",
		"Is the docker daemon running", "docker daemon is not running")
}

func saidIn(words string) func(...string) bool {
	return func(any ...string) bool {
		return slices.ContainsFunc(any, func(w string) bool { return strings.Contains(words, w) })
	}
}

func notInstalled() error {
	hint := "install Docker Engine: https://docs.docker.com/engine/install/"
	if runtime.GOOS != "linux" {
		hint = "install Docker Desktop: https://docs.docker.com/desktop/"
	}
	return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "docker is not installed"), "%s", hint)
}

func notRunning(what string) error {
	return fault.WithHint(fault.Errorf(fault.ErrUnavailable, "%s", what), "%s", startHint(false))
}

// startHint says how to start the engine on this system or, if it hangs, how to restart it.
func startHint(again bool) string {
	switch {
	case runtime.GOOS == "darwin" && again:
		return "quit Docker Desktop, then start it: open -a Docker"
	case runtime.GOOS == "darwin":
		return "start Docker Desktop: open -a Docker"
	case runtime.GOOS == "windows" && again:
		return "quit Docker Desktop, then start it again"
	case runtime.GOOS == "windows":
		return "start Docker Desktop"
	case again:
		return "restart the Docker Engine: sudo systemctl restart docker"
	}
	return "start the Docker Engine: sudo systemctl start docker"
}

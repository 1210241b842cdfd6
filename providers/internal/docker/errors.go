package docker

import (
	"errors"
	"os/exec"
	"runtime"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
)

// Explain returns err with its kind and with the hint that mends it, where words, what
// the docker command said, tell the cause. Otherwise it returns err as it is.
func Explain(words string, err error) error {
	said := func(any ...string) bool {
		for _, w := range any {
			if strings.Contains(words, w) {
				return true
			}
		}
		return false
	}
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return notInstalled()
	case said("permission denied while trying to connect", "dial unix /var/run/docker.sock: connect: permission denied"):
		return providers.WithHint(providers.Errorf(providers.ErrUnavailable, "%w", err),
			"sudo usermod -aG docker \"$USER\", then log in again")
	case said("Cannot connect to the Docker daemon", "error during connect", "failed to connect to the docker API",
		"Is the docker daemon running", "docker daemon is not running"):
		return providers.WithHint(providers.Errorf(providers.ErrUnavailable, "%w", err), "%s", startHint(false))
	case said("unable to resolve docker endpoint", "context not found"):
		return providers.WithHint(providers.Errorf(providers.ErrUnavailable, "%w", err), "docker context ls lists the contexts")
	case said("port is already allocated", "address already in use", "ports are not available"):
		return providers.WithHint(err, "another program has that port of this machine: choose another with --port HOST:CONTAINER")
	case said("no space left on device"):
		return providers.WithHint(err, "free some space: docker system df shows what takes it")
	case said("too many open files", "inotify"):
		return providers.WithHint(err, "sudo sysctl fs.inotify.max_user_instances=512 fs.inotify.max_user_watches=524288")
	case said("manifest unknown", "manifest for", "pull access denied", "repository does not exist"):
		return providers.WithHint(providers.Errorf(providers.ErrNotFound, "%w", err),
			"name an image that there is: --image IMAGE; docker images shows those that are here")
	case said("no such host", "TLS handshake timeout", "i/o timeout", "network is unreachable", "connection refused",
		"Client.Timeout exceeded", "toomanyrequests"):
		return providers.WithHint(providers.Errorf(providers.ErrUnavailable, "%w", err),
			"try again with a better network, or name an image that is here: --image IMAGE")
	}
	return err
}

func notInstalled() error {
	hint := "install Docker Engine: https://docs.docker.com/engine/install/"
	if runtime.GOOS != "linux" {
		hint = "install Docker Desktop: https://docs.docker.com/desktop/"
	}
	return providers.WithHint(providers.Errorf(providers.ErrUnavailable, "the program docker is not installed"), "%s", hint)
}

func notRunning(what string) error {
	return providers.WithHint(providers.Errorf(providers.ErrUnavailable, "%s", what), "%s", startHint(false))
}

// startHint says how the engine is started here or, where it hangs, started again.
func startHint(again bool) string {
	switch {
	case runtime.GOOS == "darwin" && again:
		return "quit Docker Desktop, then: open -a Docker"
	case runtime.GOOS == "darwin":
		return "start it: open -a Docker"
	case runtime.GOOS == "windows" && again:
		return "quit Docker Desktop, and start it again"
	case runtime.GOOS == "windows":
		return "start Docker Desktop"
	case again:
		return "start it again: sudo systemctl restart docker"
	}
	return "start it: sudo systemctl start docker"
}

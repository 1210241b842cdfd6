package docker

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// Proxy is what the docker command sets in every container that it creates, because the user's
// configuration of it says so (https://docs.docker.com/engine/cli/proxy/).
type Proxy struct {
	File    string // the configuration file
	Key     string // in the file: "proxies.default"
	URL     string // of the proxy for HTTPS or else for HTTP; it may contain a password
	NoProxy string // hosts that are reached directly, separated by commas
}

// ConfiguredProxy returns the proxy that a configuration of the docker command sets for every
// engine, in the directory that DOCKER_CONFIG names or below the home directory. It returns
// false if none is set or the file cannot be read: docker then uses no proxy.
func ConfiguredProxy(getenv func(string) string) (Proxy, bool) {
	dir := getenv("DOCKER_CONFIG")
	if dir == "" {
		dir = filepath.Join(getenv("HOME"), ".docker")
	}
	p := Proxy{File: filepath.Join(dir, "config.json"), Key: "proxies.default"}
	data, err := os.ReadFile(p.File)
	var config struct {
		Proxies map[string]struct{ HTTPProxy, HTTPSProxy, NoProxy string }
	}
	if err != nil || json.Unmarshal(data, &config) != nil {
		return p, false
	}
	set := config.Proxies["default"]
	p.NoProxy, p.URL = set.NoProxy, set.HTTPSProxy
	if p.URL == "" {
		p.URL = set.HTTPProxy
	}
	return p, p.URL != ""
}

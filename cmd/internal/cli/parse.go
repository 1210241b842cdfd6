package cli

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
)

// parsePort reads [ADDRESS:]HOST:CONTAINER[/PROTOCOL], as docker has it. An IPv6
// address stands in brackets.
func parsePort(s string) (providers.Port, error) {
	wrong := providers.WithHint(usage("--port %q is not HOST:CONTAINER", s), "for example --port 8080:80, or --port 0.0.0.0:8080:80")
	var p providers.Port
	rest, protocol, _ := strings.Cut(s, "/")
	p.Protocol = protocol
	host, container, ok := cutLast(rest, ":")
	if !ok {
		return p, wrong
	}
	if address, port, ok := cutLast(host, ":"); ok {
		p.Address, host = strings.Trim(address, "[]"), port
	}
	var err, err2 error
	p.Host, err = strconv.Atoi(host)
	p.Container, err2 = strconv.Atoi(container)
	if err != nil || err2 != nil {
		return p, wrong
	}
	return p, nil
}

// parseMount reads HOST:NODE[:ro]. HOST may be relative to the current directory.
func parseMount(s string) (providers.Mount, error) {
	var m providers.Mount
	rest, readOnly := strings.CutSuffix(s, ":ro")
	m.ReadOnly = readOnly
	host, node, ok := cutLast(rest, ":")
	if !ok || host == "" || node == "" {
		return m, providers.WithHint(usage("--mount %q is not HOST:NODE[:ro]", s), "for example --mount ./src:/src:ro")
	}
	host, err := filepath.Abs(host)
	m.Host, m.Node = host, node
	return m, err
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

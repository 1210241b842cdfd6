package profiles

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/clusterlab-dev/lab/providers"
	"github.com/clusterlab-dev/lab/providers/fault"
)

// ParsePort reads [ADDRESS:]HOST:CONTAINER[/PROTOCOL], as docker does. An IPv6 address is in
// brackets. It returns ErrInvalid for another form; [providers.Spec.Validate] checks the numbers.
func ParsePort(s string) (providers.Port, error) {
	wrong := fault.WithHint(fault.Errorf(fault.ErrInvalid, "the port %q is not HOST:CONTAINER", s),
		"for example 8080:80, or 0.0.0.0:8080:80")
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

// ParseMount reads HOST:NODE[:ro]. A relative HOST starts at the directory dir. It returns ErrInvalid
// for another form.
func ParseMount(s, dir string) (providers.Mount, error) {
	var m providers.Mount
	rest, readOnly := strings.CutSuffix(s, ":ro")
	m.ReadOnly = readOnly
	host, node, ok := cutLast(rest, ":")
	if !ok || host == "" || node == "" {
		err := fault.Errorf(fault.ErrInvalid, "the mount %q is not HOST:NODE[:ro]", s)
		return m, fault.WithHint(err, "for example ./src:/src:ro")
	}
	if !filepath.IsAbs(host) {
		host = filepath.Join(dir, host)
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

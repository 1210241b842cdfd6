//go:build linux

package main

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
)

const (
	addressFile = "/var/lib/rancher/k3s/address"
	staticPods  = "/etc/kubernetes/manifests/*.yaml"
	kubeconfigs = "/etc/kubernetes/*.conf"
)

// followAddress replaces the node's previous address in the files of kubeadm. k3s itself reads its address at each
// start.
func (n *node) followAddress() error {
	address, err := ownAddress()
	if err != nil {
		return err
	}
	was, err := os.ReadFile(addressFile)
	if err == nil && string(was) != address {
		err = n.move(string(was), address)
	} else if errors.Is(err, os.ErrNotExist) {
		err = os.MkdirAll(filepath.Dir(addressFile), 0o755)
	}
	if err != nil {
		return err
	}
	return os.WriteFile(addressFile, []byte(address), 0o600)
}

// ownAddress returns the node's address in the network of its cluster.
func ownAddress() (string, error) {
	all, err := net.InterfaceAddrs()
	for _, a := range all {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && !ip.IP.IsLoopback() {
			return ip.IP.String(), nil
		}
	}
	return "", errors.Join(err, errors.New("this node has no address"))
}

// move replaces an address. Clients of the node's API server then use its name, which is in its certificate.
func (n *node) move(was, now string) error {
	return errors.Join(replaceIn(staticPods, was, now), replaceIn(kubeconfigs, "https://"+was+":", "https://"+n.name+":"))
}

func replaceIn(pattern, was, now string) error {
	paths, err := filepath.Glob(pattern)
	for _, path := range paths {
		text, readErr := os.ReadFile(path)
		if readErr != nil {
			return readErr
		}
		if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), was, now)), 0o600); err != nil {
			return err
		}
	}
	return err
}

package main

import (
	"context"
	"embed"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// bundled holds what a server deploys by itself.
//
//go:embed manifests
var bundled embed.FS

// writeManifest puts a bundled manifest where k3s keeps it, unless it is there: k3d changes it.
func writeManifest(name string) error {
	path := filepath.Join(manifests, name)
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	data, err := bundled.ReadFile("manifests/" + name)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.ReplaceAll(string(data), "DNS_ADDRESS", dnsAddress)), 0o600)
}

// applyManifests applies what lies in the manifests directory, and again what changes there, until ctx ends.
func applyManifests(ctx context.Context) {
	applied := map[string]time.Time{}
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		paths, err := filepath.Glob(filepath.Join(manifests, "*.yaml"))
		complain(err)
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil || applied[path].Equal(info.ModTime()) {
				continue
			}
			if err := execute(ctx, nil, "kubectl", "--kubeconfig="+adminConfig, "apply", "--filename="+path); err != nil {
				complain(err)
				continue
			}
			applied[path] = info.ModTime()
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

//go:build linux

package main

import (
	"context"
	"embed"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// bundled contains the manifests that a server deploys by itself.
//
//go:embed manifests
//go:embed manifests
var bundled embed.FS

// writeManifest writes a bundled manifest to k3s's path, unless it exists: k3d changes it.
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

// manifestTimes returns the modification times of the files in the manifests directory.
func manifestTimes() map[string]time.Time {
	times := map[string]time.Time{}
	paths, err := filepath.Glob(filepath.Join(manifests, "*.yaml"))
	complain(err)
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			times[path] = info.ModTime()
		}
	}
	return times
}

// applyManifests applies the files of the manifests directory that changed after applied, and later changes, until
// ctx ends.
func applyManifests(ctx context.Context, applied map[string]time.Time) {
	tick := time.NewTicker(2 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for path, written := range manifestTimes() {
			if applied[path].Equal(written) {
				continue
			}
			if err := execute(ctx, nil, "kubectl", "--kubeconfig="+adminConfig, "apply", "--filename="+path); err != nil {
				complain(err) // and retry
				continue
			}
			applied[path] = written
		}
	}
}

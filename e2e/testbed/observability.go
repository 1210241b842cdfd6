//go:build linux

package main

import (
	"fmt"
	"path/filepath"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/images"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/programs"
)

func (b bed) observabilityFile() string { return filepath.Join(b.dir, "observability.yaml") }

// observabilityText returns a lab.yaml with kube-prometheus-stack of the catalog, on the node image with its images,
// without Grafana. Its chart causes hundreds of writes at once, more than some disks can sync in time, so etcd does
// not sync.
func observabilityText() string {
	return fmt.Sprintf(`apiVersion: lab/v1alpha1
kind: Lab
flavor: kind
cluster: {image: %q, unsyncedEtcd: true}
addons:
  - name: kube-prometheus-stack
    values:
      alertmanager: {alertmanagerSpec: {image: {tag: %s}}}
      grafana: {enabled: false}
`, images.KindObservability, programs.Alertmanager)
}

//go:build linux

package main

import (
	"fmt"
	"path/filepath"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/images"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/programs"
)

func (b bed) observabilityFile() string { return filepath.Join(b.dir, "observability.yaml") }

// observabilityText asks for kube-prometheus-stack of the catalogue, on the node image that holds what it runs. Grafana
// is not in it. Its chart is hundreds of writes at once, more than some disks can sync in the time that they have.
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

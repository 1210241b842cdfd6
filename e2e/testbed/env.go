//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/steps"
)

// env writes shell exports with which `lab up` uses the test bed without further flags.
func (b bed) env(w io.Writer) error {
	for _, pair := range [][2]string{
		{"LAB_CONFIG", filepath.Join(b.dir, "config.yaml")},
		{"LAB_TESTBED_INGRESS", filepath.Join(b.dir, "ingress.yaml")},
		{"LAB_TESTBED_METRICS", filepath.Join(b.dir, "metrics.yaml")},
		{"LAB_TESTBED_OBSERVABILITY", b.observabilityFile()},
		{"MINIKUBE_HOME", b.minikubeHome()},
		{"MINIKUBE_FORCE", "true"}, // root, and a Kubernetes newer than minikube knows
	} {
		if _, err := fmt.Fprintf(w, "export %s='%s'\n", pair[0], strings.ReplaceAll(pair[1], "'", `'\''`)); err != nil {
			return err
		}
	}
	return nil
}

// config writes a user configuration with the test bed's images, and files for `lab up -f`: the ingress controller
// and metrics-server as addons of the user, and kube-prometheus-stack with its values.
func (b bed) config() steps.Step {
	return steps.Step{Name: "config", Lane: "files", Make: func(_ context.Context, key string, _ io.Writer) (string, error) {
		for name, text := range map[string]string{
			"config.yaml":  configFile(),
			"ingress.yaml": b.labFile("ports: [\"8080:80\"]", "ingress"),
			"metrics.yaml": b.labFile("", "metrics-server"),

			filepath.Base(b.observabilityFile()): observabilityText(),
		} {
			if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o600); err != nil {
				return "", err
			}
		}
		return key, nil
	}}
}

// labFile returns a lab.yaml with one addon, from the chart of that name.
func (b bed) labFile(cluster, chart string) string {
	return fmt.Sprintf(`apiVersion: lab/v1alpha1
kind: Lab
cluster: {%s}
addons:
  - name: testbed-%s
    chart: {path: %q}
    namespace: testbed-%s
`, cluster, chart, filepath.Join(b.repository, "e2e/testbed/charts", chart), chart)
}

package programs

import "strings"

// The versions of the programs of kube-prometheus-stack, those of its chart if they can be built.
const (
	Operator         = "v0.93.1"
	Prometheus       = "v3.14.0"
	Alertmanager     = "v0.31.1" // the last version whose module contains its web pages, which the build needs
	NodeExporter     = "v1.12.1"
	KubeStateMetrics = "v2.20.0"
)

// Observability returns the programs of kube-prometheus-stack.
func Observability(repository string) []Program {
	operator := "github.com/prometheus-operator/prometheus-operator"
	return []Program{
		{Name: "prometheus-operator", Module: operator, Version: Operator, LDFlags: prometheusVersion(Operator),
			Packages: prefixed(operator+"/cmd/", "operator", "prometheus-config-reloader")},
		// The module version of Prometheus 3.14.0 is v0.314.0. Only service discovery for Kubernetes is built.
		{Name: "prometheus", Module: "github.com/prometheus/prometheus", Version: strings.Replace(Prometheus, "v3.", "v0.3", 1),
			Packages: []string{"github.com/prometheus/prometheus/cmd/prometheus"}, LDFlags: prometheusVersion(Prometheus),
			Tags: "remove_all_sd,enable_kubernetes_sd"},
		{Name: "alertmanager", Module: "github.com/prometheus/alertmanager", Version: Alertmanager,
			Packages: []string{"github.com/prometheus/alertmanager/cmd/alertmanager"}, LDFlags: prometheusVersion(Alertmanager)},
		{Name: "node-exporter", Module: "github.com/prometheus/node_exporter", Version: NodeExporter,
			Packages: []string{"github.com/prometheus/node_exporter"}, LDFlags: prometheusVersion(NodeExporter)},
		{Name: "kube-state-metrics", Module: "k8s.io/kube-state-metrics/v2", Version: KubeStateMetrics, Output: "kube-state-metrics",
			Packages: []string{"k8s.io/kube-state-metrics/v2"}, LDFlags: prometheusVersion(KubeStateMetrics)},
		inside(repository, "webhook-certgen"),
	}
}

// prometheusVersion returns linker flags for the variable with the version of Prometheus' programs.
func prometheusVersion(version string) string {
	return "-X github.com/prometheus/common/version.Version=" + strings.TrimPrefix(version, "v")
}

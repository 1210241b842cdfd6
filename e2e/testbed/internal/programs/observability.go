package programs

import "strings"

// The versions of what kube-prometheus-stack is made of, those that its chart asks for where they build.
const (
	Operator         = "v0.93.1"
	Prometheus       = "v3.14.0"
	Alertmanager     = "v0.31.1" // the last with its web pages in the module, without which it does not build
	NodeExporter     = "v1.12.1"
	KubeStateMetrics = "v2.20.0"
)

// Observability lists the programs of kube-prometheus-stack, and the versions that they say they are.
func Observability(repository string) []Program {
	operator := "github.com/prometheus-operator/prometheus-operator"
	return []Program{
		{Name: "prometheus-operator", Module: operator, Version: Operator, LDFlags: prometheusVersion(Operator),
			Packages: prefixed(operator+"/cmd/", "operator", "prometheus-config-reloader")},
		// As a module Prometheus 3.14.0 is v0.314.0. Of what it can discover, Kubernetes is what is in a cluster.
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

// prometheusVersion sets the variable from which all that Prometheus' project makes tells its version.
func prometheusVersion(version string) string {
	return "-X github.com/prometheus/common/version.Version=" + strings.TrimPrefix(version, "v")
}

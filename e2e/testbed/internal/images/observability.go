package images

import (
	"context"
	"fmt"
	"io"
	"path/filepath"

	"github.com/clusterlab-dev/lab/e2e/testbed/internal/programs"
	"github.com/clusterlab-dev/lab/e2e/testbed/internal/steps"
)

// KindObservability is kind's node image with the images of kube-prometheus-stack, except Grafana.
const KindObservability = "lab-testbed/kind-node-observability:" + programs.Kubernetes

// Observability returns the steps that build KindObservability. They need the steps of Steps.
func Observability(dir string) []steps.Step {
	recipes := observabilityImages(filepath.Join(dir, "bin"))
	needs := []string{"kind-node"}
	var all []steps.Step
	for _, r := range recipes {
		all, needs = append(all, r.step(dir)), append(needs, "image-"+r.Name)
	}
	return append(all, steps.Step{
		Name: "kind-observability", Lane: "docker", Needs: needs,
		Inputs:  func() (string, error) { return steps.Digest(kindEntrypoint), nil },
		Present: func(ctx context.Context, key string) bool { return made(ctx, KindObservability, key) },
		Make: func(ctx context.Context, key string, log io.Writer) (string, error) {
			return key, docker{log}.preload(ctx, KindNode, KindObservability, key, dir, recipes, kindEntrypoint)
		},
	})
}

// observabilityImages returns images with the names of kube-prometheus-stack's chart, except for the version of
// Alertmanager.
func observabilityImages(bin string) []recipe {
	return []recipe{
		inBin(bin, "operator", "prometheus-operator", "quay.io/prometheus-operator/prometheus-operator:"+programs.Operator),
		inBin(bin, "prometheus-config-reloader", "prometheus-operator",
			"quay.io/prometheus-operator/prometheus-config-reloader:"+programs.Operator),
		inBin(bin, "prometheus", "prometheus", fmt.Sprintf("quay.io/prometheus/prometheus:%s-distroless", programs.Prometheus)),
		inBin(bin, "alertmanager", "alertmanager", "quay.io/prometheus/alertmanager:"+programs.Alertmanager),
		inBin(bin, "node_exporter", "node-exporter", fmt.Sprintf("quay.io/prometheus/node-exporter:%s-distroless", programs.NodeExporter)),
		inBin(bin, "kube-state-metrics", "kube-state-metrics",
			"registry.k8s.io/kube-state-metrics/kube-state-metrics:"+programs.KubeStateMetrics),
		inBin(bin, "webhook-certgen", "own-webhook-certgen", "ghcr.io/jkroepke/kube-webhook-certgen:1.8.7"),
	}
}

// inBin returns a scratch recipe with the program in /bin: pods have directories at /prometheus and /alertmanager,
// and call the config reloader by its path.
func inBin(bin, name, need, tag string) recipe {
	r := scratch(bin, name, need, tag)
	r.Files, r.Config.Entrypoint = []file{program(bin, name, "/bin")}, []string{"/bin/" + name}
	return r
}

package programs

import (
	"path/filepath"
	"slices"
	"strings"
)

// The versions of the images' contents and of the tools.
const (
	Kubernetes = "v1.37.2"
	Kind       = "v0.33.0"
	K3d        = "v5.9.0"
	Helm       = "v3.22.0"
	Metrics    = "v0.9.0"
	Registry   = "v3.0.0"
	Minikube   = "v1.38.1"
	Logs       = "v1.52.1" // VictoriaLogs and its agent
)

// Catalog returns all programs of the test bed. repository is the root of the checkout.
func Catalog(repository string) []Program {
	return append(upstream(repository), own(repository)...)
}

// Tools returns the programs that are also needed with published images: the tools and the workloads.
func Tools(repository string) []Program {
	return slices.DeleteFunc(Catalog(repository), func(p Program) bool {
		return !slices.Contains([]string{"kind", "k3d", "helm", "lab-minikube", "own-hello", "own-ingress", "own-runc-without-sysresource"}, p.Name)
	})
}

func upstream(repository string) []Program {
	engine := filepath.Join(repository, "providers/kwok/engine")
	return []Program{
		{Name: "containerd", Module: "github.com/containerd/containerd/v2", Version: "v2.4.2",
			Packages: prefixed("github.com/containerd/containerd/v2/cmd/", "containerd", "containerd-shim-runc-v2", "ctr"),
			Tags:     "no_btrfs,no_devmapper,no_zfs,no_aufs",
			LDFlags:  "-X github.com/containerd/containerd/v2/version.Version=v2.4.2"},
		{Name: "cni", Module: "github.com/containernetworking/plugins", Version: "v1.9.1",
			Packages: prefixed("github.com/containernetworking/plugins/plugins/", "main/bridge", "main/loopback",
				"main/ptp", "ipam/host-local", "meta/firewall", "meta/portmap", "meta/tuning")},
		{Name: "coredns", Module: "github.com/coredns/coredns", Version: "v1.15.0",
			Main: coredns, Packages: []string{"."}, Output: "coredns"},
		{Name: "etcd", Module: "go.etcd.io/etcd/server/v3", Version: "v3.7.0", Like: engine,
			Packages: []string{"go.etcd.io/etcd/server/v3"}, Output: "etcd"},
		{Name: "crictl", Module: "sigs.k8s.io/cri-tools", Version: "v1.36.0", Like: engine,
			Packages: []string{"sigs.k8s.io/cri-tools/cmd/crictl"}},
		{Name: "kind", Module: "sigs.k8s.io/kind", Version: Kind, Like: repository, Packages: []string{"sigs.k8s.io/kind"}},
		{Name: "registry", Module: "github.com/distribution/distribution/v3", Version: Registry, Like: engine,
			Main: registry, Packages: []string{"."}, Output: "registry"},
		{Name: "metrics-server", Module: "sigs.k8s.io/metrics-server", Version: Metrics, Like: engine,
			Packages: []string{"sigs.k8s.io/metrics-server/cmd/metrics-server"},
			LDFlags:  "-X sigs.k8s.io/metrics-server/pkg/version.gitVersion=" + Metrics},
		{Name: "victoria-logs", Module: "github.com/VictoriaMetrics/VictoriaLogs", Version: Logs,
			Packages: prefixed("github.com/VictoriaMetrics/VictoriaLogs/app/", "victoria-logs", "vlagent")},
		{Name: "helm", Module: "helm.sh/helm/v3", Version: Helm, Like: repository, Packages: []string{"helm.sh/helm/v3/cmd/helm"},
			LDFlags: "-X helm.sh/helm/v3/internal/version.version=" + Helm},
		{Name: "k3d", Module: "github.com/k3d-io/k3d/v5", Version: K3d, Like: repository,
			Packages: []string{"github.com/k3d-io/k3d/v5"}, Output: "k3d", LDFlags: "-X github.com/k3d-io/k3d/v5/version.Version=" + K3d},
	}
}

func own(repository string) []Program {
	all := []Program{
		{Name: "lab-node", Dir: filepath.Join(repository, "providers/kwok/engine"), Packages: []string{"./cmd/lab-node"},
			Sources: []string{"cmd/lab-node", "go.mod"}, Version: Kubernetes, LDFlags: kubernetesVersion(),
			Tags:  "kustomize_disable_go_plugin_support", // as for lab-engine, which compiles the same packages
			Links: KubernetesPrograms()},
		{Name: "lab-minikube", Dir: filepath.Join(repository, "providers/minikube/upstream"), Packages: []string{"."},
			Output: "lab-minikube", Sources: []string{"main.go", "go.mod"}, LDFlags: minikubeVersion()},
		{Name: "own-hello", Dir: repository, Packages: []string{"./cmd/hello"}, Sources: []string{"cmd/hello"}},
	}
	for _, name := range []string{"ingress", "k3s", "node-network", "pause", "runc-without-sysresource",
		"storage-provisioner", "tcp-proxy"} {
		all = append(all, inside(repository, name))
	}
	return all
}

// inside returns a program of this project that is built for the test bed.
func inside(repository, name string) Program {
	return Program{Name: "own-" + name, Dir: filepath.Join(repository, "e2e/testbed/inside"), Packages: []string{"./" + name},
		Sources: []string{name, "internal", "go.mod"}}
}

// KubernetesPrograms returns the names by which lab-node can be called.
func KubernetesPrograms() []string {
	return []string{"kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler", "kubeadm", "kubectl", "kubelet"}
}

// kubernetesVersion returns linker flags that set the version in both packages from which Kubernetes reads it.
// Without it, kubeadm rejects its own kubelet.
func kubernetesVersion() string {
	parts := strings.Split(strings.TrimPrefix(Kubernetes, "v"), ".")
	var flags []string
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags = append(flags, "-X "+pkg+".gitVersion="+Kubernetes, "-X "+pkg+".gitMajor="+parts[0], "-X "+pkg+".gitMinor="+parts[1])
	}
	return strings.Join(flags, " ")
}

// minikubeVersion returns linker flags for the variables that minikube's build sets.
func minikubeVersion() string {
	var flags []string
	for _, set := range []string{"version=" + Minikube, "isoVersion=v1.38.0", "storageProvisionerVersion=v5", "gitCommitID=" + Minikube} {
		flags = append(flags, "-X k8s.io/minikube/pkg/version."+set)
	}
	return strings.Join(flags, " ")
}

func prefixed(prefix string, names ...string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = prefix + name
	}
	return out
}
